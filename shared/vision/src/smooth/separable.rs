//! Filters that are the product of one across and one down. Rows are filtered across once and kept while a row of the
//! result needs them, so that memory is `kernel` rows and not a second picture in floats.

use super::border::{mirrored, padded_row};
use crate::Frame;

pub(super) fn gaussian(frame: &Frame, radius: usize) -> Frame {
    let sigma = 0.3 * (radius as f64 - 1.0) + 0.8;
    let weights: Vec<f64> = (0..=2 * radius)
        .map(|at| {
            let distance = at as f64 - radius as f64;
            (-distance * distance / (2.0 * sigma * sigma)).exp()
        })
        .collect();
    let sum: f64 = weights.iter().sum();
    let weights: Vec<f32> = small(radius)
        .map_or_else(|| weights.iter().map(|weight| (weight / sum) as f32).collect(), <[f32]>::to_vec);
    let across = |padded: &[f32], row: &mut [f32]| weigh(padded, &weights, row);
    filtered(frame, radius, across, &weights)
}

/// OpenCV's own weights for its smallest kernels (`getGaussianKernel`, a sigma of 0 or less).
fn small(radius: usize) -> Option<&'static [f32]> {
    match radius {
        1 => Some(&[0.25, 0.5, 0.25]),
        2 => Some(&[0.0625, 0.25, 0.375, 0.25, 0.0625]),
        3 => Some(&[0.03125, 0.109_375, 0.21875, 0.28125, 0.21875, 0.109_375, 0.03125]),
        _ => None,
    }
}

pub(super) fn average(frame: &Frame, radius: usize) -> Frame {
    let count = 2 * radius + 1;
    let weights = vec![1.0 / count as f32; count];
    filtered(frame, radius, |padded, row| mean(padded, count, row), &weights)
}

/// The mean of `count` neighbours by a running sum: the cost does not depend on the kernel. Sums of whole numbers below
/// 2^24 are exact in a float.
fn mean(padded: &[f32], count: usize, row: &mut [f32]) {
    let share = 1.0 / count as f32;
    for channel in 0..3 {
        let mut sum: f32 = (0..count).map(|at| padded[at * 3 + channel]).sum();
        for x in 0..row.len() / 3 {
            row[x * 3 + channel] = sum * share;
            if let Some(next) = padded.get((x + count) * 3 + channel) {
                sum += next - padded[x * 3 + channel];
            }
        }
    }
}

fn weigh(padded: &[f32], weights: &[f32], row: &mut [f32]) {
    row.fill(0.0);
    for (at, &weight) in weights.iter().enumerate() {
        for (sum, sample) in row.iter_mut().zip(&padded[at * 3..]) {
            *sum += weight * sample;
        }
    }
}

fn filtered(frame: &Frame, radius: usize, across: impl Fn(&[f32], &mut [f32]), down: &[f32]) -> Frame {
    let (width, height) = (frame.width() as usize, frame.height() as usize);
    let kernel = 2 * radius + 1;
    let (mut padded, mut sums) = (Vec::new(), vec![0.0f32; width * 3]);
    // The rows y − radius … y + radius, filtered across; row y is at y mod kernel.
    let mut rows = vec![vec![0.0f32; width * 3]; kernel.min(height)];
    let slots = rows.len();
    let mut done = 0;
    let mut pixels = Vec::with_capacity(width * height * 3);
    for y in 0..height {
        while done < height.min(y + radius + 1) {
            padded_row(frame.row(done as u32), radius, &mut padded);
            across(&padded, &mut rows[done % slots]);
            done += 1;
        }
        sums.fill(0.0);
        for (at, &weight) in down.iter().enumerate() {
            let source = mirrored(y as isize + at as isize - radius as isize, height);
            for (sum, sample) in sums.iter_mut().zip(&rows[source % slots]) {
                *sum += weight * sample;
            }
        }
        pixels.extend(sums.iter().map(|sum| (sum + 0.5) as u8));
    }
    Frame::new(frame.width(), frame.height(), pixels).expect("as many rows as the picture has")
}
