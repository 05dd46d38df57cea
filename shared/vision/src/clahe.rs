//! Contrast-limited adaptive histogram equalisation (Zuiderveld, Graphics Gems IV, 1994), with OpenCV's choices: 8 × 8
//! regions, a clip limit of 2, bilinear blending between the regions' tables.

use crate::contrast::histogram;

const REGIONS: usize = 8;
const CLIP_LIMIT: f64 = 2.0;

/// The evened samples of a grey picture of `width` × `height`.
pub(crate) fn clahe(samples: &[u8], (width, height): (usize, usize)) -> Vec<u8> {
    // The picture is mirrored at its right and lower edge until the regions are of equal size; as in OpenCV, both sides
    // grow when one has to.
    let region = if width % REGIONS == 0 && height % REGIONS == 0 {
        (width / REGIONS, height / REGIONS)
    } else {
        (width / REGIONS + 1, height / REGIONS + 1)
    };
    let mirrored = |at: usize, side: usize| {
        if at < side {
            return at;
        }
        let period = (2 * side).saturating_sub(2).max(1);
        let at = at % period;
        at.min(period - at).min(side - 1)
    };
    let table = |number: usize| {
        let (left, top) = (number % REGIONS * region.0, number / REGIONS * region.1);
        let rows = (top..top + region.1).map(|y| mirrored(y, height) * width);
        let inside =
            rows.flat_map(|row| (left..left + region.0).map(move |x| samples[row + mirrored(x, width)]));
        limited(histogram(inside), region.0 * region.1)
    };
    let tables: Vec<[u8; 256]> = (0..REGIONS * REGIONS).map(table).collect();
    let columns: Vec<Between> = (0..width).map(|x| Between::of(x, region.0)).collect();
    let mut evened = Vec::with_capacity(samples.len());
    for (y, row) in samples.chunks_exact(width).enumerate() {
        let down = Between::of(y, region.1);
        for (across, &sample) in columns.iter().zip(row) {
            let at = |x: usize, y: usize| f32::from(tables[y * REGIONS + x][usize::from(sample)]);
            let upper =
                at(across.low, down.low) * (1.0 - across.share) + at(across.high, down.low) * across.share;
            let lower =
                at(across.low, down.high) * (1.0 - across.share) + at(across.high, down.high) * across.share;
            let blended = upper * (1.0 - down.share) + lower * down.share;
            evened.push(blended.round_ties_even().clamp(0.0, 255.0) as u8);
        }
    }
    evened
}

/// The two regions that a column or row lies between, and its share of the second.
struct Between {
    low: usize,
    high: usize,
    share: f32,
}

impl Between {
    fn of(at: usize, region: usize) -> Self {
        let place = at as f32 / region as f32 - 0.5;
        let low = place.floor();
        let within = |number: f32| (number.max(0.0) as usize).min(REGIONS - 1);
        Self { low: within(low), high: within(low + 1.0), share: place - low }
    }
}

/// The table that evens a region's histogram, no level counting for more than the limit: what stands over is spread
/// over all levels.
fn limited(mut counts: [u32; 256], area: usize) -> [u8; 256] {
    let limit = ((CLIP_LIMIT * area as f64 / 256.0) as u32).max(1);
    let mut over = 0;
    for count in &mut counts {
        over += count.saturating_sub(limit);
        *count = (*count).min(limit);
    }
    let (each, rest) = (over / 256, over as usize % 256);
    counts.iter_mut().for_each(|count| *count += each);
    if let Some(step) = 256usize.checked_div(rest) {
        counts.iter_mut().step_by(step).take(rest).for_each(|count| *count += 1);
    }
    let scale = 255.0 / area as f32;
    let mut sum = 0;
    counts.map(|count| {
        sum += count;
        (sum as f32 * scale).round_ties_even().clamp(0.0, 255.0) as u8
    })
}
