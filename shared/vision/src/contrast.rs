//! Levels: a linear map of the samples, and three ways to use their whole range.

use crate::Frame;

/// How contrast is evened out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Equalize {
    /// The luma's histogram is made flat (OpenCV `equalizeHist` on Y of YCrCb): strong, the same all over.
    Histogram,
    /// The same within 8 × 8 regions, limited so that noise is not blown up, and blended between them (OpenCV
    /// `createCLAHE(2.0, (8, 8))` on Y of YCrCb).
    Clahe,
    /// Each channel's darkest sample becomes 0 and its brightest 255 (OpenCV `normalize` with `NORM_MINMAX`).
    Stretch,
}

/// `(sample · scale − mean) / std` per channel (R, G, B), shown as a picture: a result of 0 is black, of 1 white, and
/// what lies outside is cut off.
#[must_use]
pub fn linear(frame: &Frame, scale: f64, mean: [f64; 3], std: [f64; 3]) -> Frame {
    let tables: [[u8; 256]; 3] = std::array::from_fn(|channel| {
        std::array::from_fn(|sample| {
            let value = (sample as f64 * scale - mean[channel]) / std[channel];
            (value * 255.0).round_ties_even().clamp(0.0, 255.0) as u8
        })
    });
    mapped(frame, &tables)
}

/// The picture with its contrast evened out.
#[must_use]
pub fn equalize(frame: &Frame, how: Equalize) -> Frame {
    if frame.is_empty() {
        return frame.clone();
    }
    match how {
        Equalize::Stretch => mapped(frame, &stretched(frame)),
        Equalize::Histogram => {
            let luma = luma(frame);
            let table = flat(&histogram(luma.iter().copied()), luma.len());
            with_luma(frame, luma.iter().map(|&sample| table[usize::from(sample)]))
        }
        Equalize::Clahe => {
            let luma = luma(frame);
            let evened = crate::clahe::clahe(&luma, (frame.width() as usize, frame.height() as usize));
            with_luma(frame, evened.into_iter())
        }
    }
}

fn mapped(frame: &Frame, tables: &[[u8; 256]; 3]) -> Frame {
    let samples = frame
        .pixels()
        .chunks_exact(3)
        .flat_map(|pixel| [0, 1, 2].map(|channel| tables[channel][usize::from(pixel[channel])]));
    Frame::new(frame.width(), frame.height(), samples.collect()).expect("a sample for every sample")
}

fn stretched(frame: &Frame) -> [[u8; 256]; 3] {
    std::array::from_fn(|channel| {
        let samples = || frame.pixels().iter().skip(channel).step_by(3).copied();
        let (low, high) = (samples().min().unwrap_or(0), samples().max().unwrap_or(255));
        let span = f64::from(high) - f64::from(low);
        std::array::from_fn(|sample| {
            if span == 0.0 {
                return 0;
            }
            ((sample as f64 - f64::from(low)) * 255.0 / span).round_ties_even().clamp(0.0, 255.0) as u8
        })
    })
}

pub(crate) fn histogram(samples: impl Iterator<Item = u8>) -> [u32; 256] {
    let mut counts = [0; 256];
    samples.for_each(|sample| counts[usize::from(sample)] += 1);
    counts
}

/// The table that makes the histogram of `count` samples flat. The darkest level that occurs becomes 0.
fn flat(counts: &[u32; 256], count: usize) -> [u8; 256] {
    let first = counts.iter().position(|&count| count > 0).unwrap_or(0);
    let rest = count as u32 - counts[first];
    if rest == 0 {
        return [first as u8; 256];
    }
    let (scale, mut sum) = (255.0 / rest as f32, 0u32);
    let mut table = [0; 256];
    for level in first + 1..256 {
        sum += counts[level];
        table[level] = (sum as f32 * scale).round_ties_even() as u8;
    }
    table
}

/// Y of YCrCb in OpenCV's fixed point (BT.601 weights in 1/16384).
fn luma(frame: &Frame) -> Vec<u8> {
    let of = |pixel: &[u8]| {
        let [red, green, blue] = [0, 1, 2].map(|channel| u32::from(pixel[channel]));
        ((red * 4899 + green * 9617 + blue * 1868 + 8192) >> 14) as u8
    };
    frame.pixels().chunks_exact(3).map(of).collect()
}

/// The picture with another luma and its own Cr and Cb.
fn with_luma(frame: &Frame, lumas: impl Iterator<Item = u8>) -> Frame {
    let cut = |value: i32| value.clamp(0, 255) as u8;
    let pixel = |(pixel, new): (&[u8], u8)| {
        let [red, green, blue] = [0, 1, 2].map(|channel| i32::from(pixel[channel]));
        let old = (red * 4899 + green * 9617 + blue * 1868 + 8192) >> 14;
        // Both as OpenCV rounds them, to eight bits in between.
        let cr = i32::from(cut(((red - old) * 11_682 + (128 << 14) + 8192) >> 14)) - 128;
        let cb = i32::from(cut(((blue - old) * 9241 + (128 << 14) + 8192) >> 14)) - 128;
        let new = i32::from(new);
        [
            cut(new + ((cr * 22_987 + 8192) >> 14)),
            cut(new + ((cb * -5636 + cr * -11_698 + 8192) >> 14)),
            cut(new + ((cb * 29_049 + 8192) >> 14)),
        ]
    };
    let pixels = frame.pixels().chunks_exact(3).zip(lumas).flat_map(pixel).collect();
    Frame::new(frame.width(), frame.height(), pixels).expect("a luma for every pixel")
}
