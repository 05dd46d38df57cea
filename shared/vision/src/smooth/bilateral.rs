//! The bilateral filter (Tomasi and Manduchi, 1998) as OpenCV computes it: a round neighbourhood, and the likeness of two
//! colours by the sum of their channels' differences.

use super::border::{mirrored, padded_row};
use crate::Frame;
use crate::simd::widest;

const SIGMA_COLOUR: f32 = 75.0;
const SIGMA_SPACE: f32 = 75.0;
/// Pixels that are worked on at once: their sums stay in the processor's nearest cache.
const STRETCH: usize = 128;
type Samples = [f32; STRETCH];

pub(super) fn bilateral(frame: &Frame, radius: usize) -> Frame {
    widest(
        #[inline(always)]
        || filtered(frame, radius),
    )
}

#[inline(always)]
fn filtered(frame: &Frame, radius: usize) -> Frame {
    let (width, height) = (frame.width() as usize, frame.height() as usize);
    let neighbours = neighbours(radius);
    // Whole stretches everywhere: what is computed behind a row's end is not looked at.
    let stretches = width.div_ceil(STRETCH);
    let plane = || vec![0.0; stretches * STRETCH + 2 * radius];
    let mut padded = Vec::new();
    // The rows y − radius … y + radius, a plane per channel; row y is at y mod kernel.
    let mut rows: Vec<_> = (0..height.min(2 * radius + 1)).map(|_| [plane(), plane(), plane()]).collect();
    let slots = rows.len();
    let mut done = 0;
    let mut pixels = Vec::with_capacity((stretches * STRETCH + width * height) * 3);
    for y in 0..height {
        while done < height.min(y + radius + 1) {
            padded_row(frame.row(done as u32), radius, mirrored, &mut padded);
            split(&padded, &mut rows[done % slots]);
            done += 1;
        }
        let row = |dy: isize| &rows[mirrored(y as isize + dy, height) % slots];
        for start in (0..stretches).map(|stretch| stretch * STRETCH) {
            let part = |dx: isize, dy: isize| {
                let from = (start + radius).wrapping_add_signed(dx);
                row(dy)
                    .each_ref()
                    .map(|plane| plane[from..].first_chunk().expect("rows are whole stretches long"))
            };
            let centre = part(0, 0);
            let mut sums = Sums::of(centre);
            for &(dx, dy, nearness) in &neighbours {
                sums.add(centre, part(dx, dy), nearness);
            }
            pixels.extend_from_slice(sums.levels().as_flattened());
        }
        pixels.truncate((y + 1) * width * 3);
    }
    Frame::new(frame.width(), frame.height(), pixels).expect("a pixel for every pixel")
}

/// A row of pixels as a plane per channel.
#[inline(always)]
fn split(row: &[u8], [reds, greens, blues]: &mut [Vec<f32>; 3]) {
    let planes = reds.iter_mut().zip(greens).zip(blues);
    for (pixel, ((red, green), blue)) in row.as_chunks::<3>().0.iter().zip(planes) {
        (*red, *green, *blue) = (f32::from(pixel[0]), f32::from(pixel[1]), f32::from(pixel[2]));
    }
}

/// The other pixels within `radius`, each with the logarithm to base 2 of the weight of its distance.
fn neighbours(radius: usize) -> Vec<(isize, isize, f32)> {
    let radius = radius as isize;
    let square = (-radius..=radius).flat_map(|dy| (-radius..=radius).map(move |dx| (dx, dy)));
    square
        .filter(|(dx, dy)| (1..=radius * radius).contains(&(dx * dx + dy * dy)))
        .map(|(dx, dy)| (dx, dy, falloff(SIGMA_SPACE) * (dx * dx + dy * dy) as f32))
        .collect()
}

/// What the square of a value is multiplied with so that 2 to its power is the Gaussian: −1 / (2 σ² ln 2).
const fn falloff(sigma: f32) -> f32 {
    -std::f32::consts::LOG2_E / (2.0 * sigma * sigma)
}

/// Weighted sums of a stretch's neighbours.
struct Sums {
    channels: [Samples; 3],
    weights: Samples,
}

impl Sums {
    /// The pixels themselves, whose weight is 1.
    #[inline(always)]
    fn of(centre: [&Samples; 3]) -> Self {
        Self { channels: centre.map(|samples| *samples), weights: [1.0; STRETCH] }
    }

    #[inline(always)]
    fn add(&mut self, [red, green, blue]: [&Samples; 3], [r, g, b]: [&Samples; 3], nearness: f32) {
        let [reds, greens, blues] = &mut self.channels;
        for at in 0..STRETCH {
            let apart = (red[at] - r[at]).abs() + (green[at] - g[at]).abs() + (blue[at] - b[at]).abs();
            let weight = power_of_two(apart * apart * falloff(SIGMA_COLOUR) + nearness);
            self.weights[at] += weight;
            reds[at] += weight * r[at];
            greens[at] += weight * g[at];
            blues[at] += weight * b[at];
        }
    }

    #[inline(always)]
    fn levels(&self) -> [[u8; 3]; STRETCH] {
        let mut levels = [[0; 3]; STRETCH];
        for (at, pixel) in levels.iter_mut().enumerate() {
            let level = |channel: usize| (self.channels[channel][at] / self.weights[at] + 0.5) as u8;
            *pixel = [level(0), level(1), level(2)];
        }
        levels
    }
}

/// 2 to the power of something between −100 and 0, to within 5 in a million: the whole part goes into the exponent, the
/// rest, −0.5 to 0.5, through a polynomial (of degree 4, the nearest one over that range). Without a branch, so that many
/// go at once.
#[inline(always)]
fn power_of_two(power: f32) -> f32 {
    /// Adding this leaves the nearest whole number in the lowest bits.
    const ROUNDER: f32 = 12_582_912.0;
    let rounded = power + ROUNDER;
    let rest = power - (rounded - ROUNDER);
    let curved = 0.240_247_45 + rest * (0.055_917_86 + rest * 0.009_570_1);
    let polynomial = 0.999_999_3 + rest * (0.693_121_8 + rest * curved);
    f32::from_bits(polynomial.to_bits().wrapping_add(rounded.to_bits() << 23))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn powers_are_those_of_the_standard_library() {
        for at in 0..=100_000 {
            let power = -(at as f32) / 1000.0;
            let (own, exact) = (power_of_two(power), power.exp2());
            assert!((own / exact - 1.0).abs() < 5e-6, "2^{power}: {own}, not {exact}");
        }
    }
}
