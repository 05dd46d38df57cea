//! The Gaussian, down and then across, in whole numbers of 1/256 as OpenCV computes it for 8 bits.

use super::border::{mirrored, pad};
use crate::Frame;
use crate::simd::widest;

/// Samples that are worked on at once: their sums stay in the processor's nearest cache.
const STRETCH: usize = 1024;

pub(super) fn gaussian(frame: &Frame, radius: usize) -> Frame {
    let weights = weights(radius);
    widest(
        #[inline(always)]
        || filtered(frame, radius, &weights),
    )
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
    let (samples, height) = (frame.width() as usize * 3, frame.height() as usize);
    // In 256ths of a level, of which 255 levels just fit.
    let mut columns = vec![0u16; samples + 2 * radius * 3];
    let mut pixels = Vec::with_capacity(samples * height);
    // By distance from the middle. No weight is above one half, so that 256 times one fits; a whole stretch of each lets
    // the compiler see a multiplication of 16 bits by 16.
    let weights = &weights[radius..];
    let scaled: Vec<[u16; STRETCH]> = weights.iter().map(|weight| [weight << 8; STRETCH]).collect();
    let stretches = || (0..samples).step_by(STRETCH).map(|start| start..samples.min(start + STRETCH));
    for y in 0..height as isize {
        for stretch in stretches() {
            let row = |at: isize| &frame.row(mirrored(y + at, height) as u32)[stretch.clone()];
            let sums = down(row, weights);
            columns[radius * 3..][stretch.clone()].copy_from_slice(&sums[..stretch.len()]);
        }
        pad(&mut columns, radius, mirrored);
        for stretch in stretches() {
            let tap = |at: isize| &columns[radius.wrapping_add_signed(at) * 3..][stretch.clone()];
            pixels.extend_from_slice(&across(tap, &scaled)[..stretch.len()]);
        }
    }
    Frame::new(frame.width(), frame.height(), pixels).expect("as many rows as the picture has")
}

/// The weighted sums of rows, in 256ths of a level.
#[inline(always)]
fn down<'a>(row: impl Fn(isize) -> &'a [u8], weights: &[u16]) -> [u16; STRETCH] {
    let mut sums = [0; STRETCH];
    for (sum, &sample) in sums.iter_mut().zip(row(0)) {
        *sum = u16::from(sample).wrapping_mul(weights[0]);
    }
    for (far, &weight) in (1..).zip(&weights[1..]) {
        for ((sum, &above), &below) in sums.iter_mut().zip(row(-far)).zip(row(far)) {
            *sum = sum.wrapping_add((u16::from(above) + u16::from(below)).wrapping_mul(weight));
        }
    }
    sums
}

/// The weighted sums of columns, as levels.
#[inline(always)]
fn across<'a>(tap: impl Fn(isize) -> &'a [u16], weights: &[[u16; STRETCH]]) -> [u8; STRETCH] {
    // Each product drops up to 1/256 of a level, half of that on average.
    let half = 127 + weights.len() as u16;
    let product = |value: u16, weight: u16| ((u32::from(value) * u32::from(weight)) >> 16) as u16;
    let mut sums = [0; STRETCH];
    for ((sum, &value), &weight) in sums.iter_mut().zip(tap(0)).zip(&weights[0]) {
        *sum = product(value, weight).wrapping_add(half);
    }
    for (far, weights) in (1..).zip(&weights[1..]) {
        for (((sum, &left), &right), &weight) in sums.iter_mut().zip(tap(-far)).zip(tap(far)).zip(weights) {
            *sum = sum.wrapping_add(product(left, weight)).wrapping_add(product(right, weight));
        }
    }
    let mut levels = [0; STRETCH];
    levels.iter_mut().zip(sums).for_each(|(level, sum)| *level = (sum >> 8) as u8);
    levels
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
