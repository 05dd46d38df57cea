//! The Gaussian, across and then down, in whole numbers of 1/256 as OpenCV computes it for 8 bits. Rows are filtered across
//! once and kept while a row of the result needs them.

use super::border::{mirrored, padded_row};
use crate::Frame;
use crate::simd::widest;

pub(super) fn gaussian(frame: &Frame, radius: usize) -> Frame {
    let weights = weights(radius);
    widest(|| filtered(frame, radius, &weights))
}

/// The kernel in 256ths, which sum to 256. What rounding takes from one weight the next one gets, from the ends to the
/// middle (OpenCV `getGaussianKernelFixedPoint_ED`).
fn weights(radius: usize) -> Vec<u16> {
    let exact = exact_weights(radius);
    let mut weights = vec![0u16; exact.len()];
    let (mut left_over, mut sum) = (0.0, 0);
    for at in 0..radius {
        let wanted = exact[at] * 256.0 + left_over;
        let given = wanted.round_ties_even();
        left_over = wanted - given;
        weights[at] = given as u16;
        weights[2 * radius - at] = given as u16;
        sum += given as u16;
    }
    weights[radius] = 256 - 2 * sum;
    weights
}

fn exact_weights(radius: usize) -> Vec<f64> {
    // OpenCV's own weights for its smallest kernels (`getGaussianKernel`, a sigma of 0 or less).
    match radius {
        1 => return vec![0.25, 0.5, 0.25],
        2 => return vec![0.0625, 0.25, 0.375, 0.25, 0.0625],
        3 => return vec![0.03125, 0.109_375, 0.21875, 0.28125, 0.21875, 0.109_375, 0.03125],
        _ => {}
    }
    let sigma = 0.3 * (radius as f64 - 1.0) + 0.8;
    let weight = |at: usize| {
        let distance = at as f64 - radius as f64;
        (-distance * distance / (2.0 * sigma * sigma)).exp()
    };
    let weights: Vec<f64> = (0..=2 * radius).map(weight).collect();
    let sum: f64 = weights.iter().sum();
    weights.iter().map(|weight| weight / sum).collect()
}

#[inline(always)]
fn filtered(frame: &Frame, radius: usize, weights: &[u16]) -> Frame {
    let (width, height) = (frame.width() as usize, frame.height() as usize);
    let samples = width * 3;
    let (mut padded, mut sums) = (Vec::new(), vec![0u16; samples]);
    // The rows y − radius … y + radius in 256ths of a level; row y is at y mod kernel.
    let mut rows = vec![vec![0u16; samples]; weights.len().min(height)];
    let slots = rows.len();
    let mut done = 0;
    let mut pixels = vec![0u8; samples * height];
    // Each product below drops up to 1/256 of a level, half of that on average.
    let half = 128 + (weights.len() / 2) as u16;
    for (y, row) in pixels.chunks_exact_mut(samples).enumerate() {
        while done < height.min(y + radius + 1) {
            padded_row(frame.row(done as u32), radius, mirrored, &mut padded);
            let tap = |at: usize| &padded[at * 3..];
            weigh(
                tap,
                weights,
                |sample, weight| u16::from(sample).wrapping_mul(weight),
                &mut rows[done % slots],
            );
            done += 1;
        }
        let tap = |at: usize| {
            let source = mirrored(y as isize + at as isize - radius as isize, height);
            rows[source % slots].as_slice()
        };
        weigh(
            tap,
            weights,
            |sum, weight| ((u32::from(sum) * (u32::from(weight) << 8)) >> 16) as u16,
            &mut sums,
        );
        for (sample, sum) in row.iter_mut().zip(&sums) {
            *sample = (sum.wrapping_add(half) >> 8) as u8;
        }
    }
    Frame::new(frame.width(), frame.height(), pixels).expect("as many rows as the picture has")
}

/// The weighted sum of the taps, four taps in a go.
#[inline(always)]
fn weigh<'a, T: Copy + 'a>(
    tap: impl Fn(usize) -> &'a [T],
    weights: &[u16],
    product: impl Fn(T, u16) -> u16,
    sums: &mut [u16],
) {
    sums.fill(0);
    let length = sums.len();
    let slice = |at: usize| &tap(at)[..length];
    let (fours, rest) = weights.as_chunks::<4>();
    for (group, weights) in fours.iter().enumerate() {
        let [a, b, c, d] = [0, 1, 2, 3].map(|at| slice(group * 4 + at));
        for at in 0..length {
            let first = product(a[at], weights[0]).wrapping_add(product(b[at], weights[1]));
            let second = product(c[at], weights[2]).wrapping_add(product(d[at], weights[3]));
            sums[at] = sums[at].wrapping_add(first).wrapping_add(second);
        }
    }
    for (at, &weight) in rest.iter().enumerate() {
        let from = slice(fours.len() * 4 + at);
        for (sum, &value) in sums.iter_mut().zip(from) {
            *sum = sum.wrapping_add(product(value, weight));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_are_symmetric_and_sum_to_one() {
        for radius in 1..=127 {
            let weights = weights(radius);
            assert_eq!(weights.iter().sum::<u16>(), 256, "{radius}");
            assert!(weights.iter().eq(weights.iter().rev()), "{radius}");
        }
        assert_eq!(weights(2), [16, 64, 96, 64, 16]);
    }

    #[test]
    fn an_even_picture_stays_as_it_is_with_every_kernel() {
        for level in [0, 1, 128, 255] {
            let frame = Frame::filled(9, 7, [level; 3]);
            for radius in [1, 2, 7, 40, 127] {
                assert_eq!(gaussian(&frame, radius), frame, "{level}, radius {radius}");
            }
        }
    }
}
