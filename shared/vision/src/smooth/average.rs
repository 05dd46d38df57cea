//! The mean of a square, across and then down by running sums: the cost hardly depends on the kernel.

use super::border::{mirrored, padded_row};
use crate::Frame;
use crate::simd::widest;

/// Up to this side the sum of a square fits 16 bits: 15² · 255 = 57,375.
const SMALL: usize = 15;

pub(super) fn average(frame: &Frame, radius: usize) -> Frame {
    let count = 2 * radius + 1;
    if count <= SMALL {
        let share = Share::of((count * count) as u16);
        let divide = |sum: u16| share.take(sum);
        widest(|| {
            filtered(frame, radius, |sum: u16, new, old| sum.wrapping_add(new).wrapping_sub(old), divide)
        })
    } else {
        let share = 1.0 / (count * count) as f32;
        // Sums of whole numbers below 2^24 are exact in a float, and 255² · 255 is.
        let divide = |sum: u32| (sum as f32 * share + 0.5) as u8;
        let slide = |sum: u32, new: u16, old: u16| sum.wrapping_add(new.into()).wrapping_sub(old.into());
        widest(|| filtered(frame, radius, slide, divide))
    }
}

/// Division by a constant as a multiplication (Granlund and Montgomery: "Division by invariant integers using
/// multiplication", 1994), exact for every sum of `count` samples; a test tries them all.
struct Share {
    factor: u16,
    shift: u32,
    half: u16,
}

impl Share {
    fn of(count: u16) -> Self {
        let shift = count.ilog2();
        let factor = (1u32 << (16 + shift)).div_ceil(count.into());
        Self { factor: factor as u16, shift, half: count / 2 }
    }

    /// The mean, rounded.
    #[inline(always)]
    fn take(&self, sum: u16) -> u8 {
        let high = (u32::from(sum.wrapping_add(self.half)) * u32::from(self.factor)) >> 16;
        (high as u16 >> self.shift) as u8
    }
}

/// `slide` moves the sum of a column down by one row: the sum, the row that enters, the row that leaves.
#[inline(always)]
fn filtered<S: Copy + Default>(
    frame: &Frame,
    radius: usize,
    slide: impl Fn(S, u16, u16) -> S,
    divide: impl Fn(S) -> u8,
) -> Frame {
    let (width, height) = (frame.width() as usize, frame.height() as usize);
    let (samples, count) = (width * 3, 2 * radius + 1);
    let (mut padded, mut scratch) = (Vec::new(), Vec::new());
    let nothing = vec![0u16; samples];
    let mut sums = vec![S::default(); samples];
    // The rows y − radius − 1 … y + radius, summed across; row y is at y mod their number.
    let mut rows = vec![vec![0u16; samples]; (count + 1).min(height)];
    let slots = rows.len();
    let mut done = 0;
    let mut pixels = vec![0u8; samples * height];
    let first = -(radius as isize);
    // The square above the picture, then one row down for each row of the result.
    for entering in first..=(height - 1 + radius) as isize {
        let y = entering - radius as isize;
        while done < height.min((entering.max(-entering) + 1) as usize) {
            padded_row(frame.row(done as u32), radius, mirrored, &mut padded);
            sum_across(&padded, count, &mut scratch, &mut rows[done % slots]);
            done += 1;
        }
        let row = |at: isize| rows[mirrored(at, height) % slots].as_slice();
        let leaving = if y > 0 { row(y - radius as isize - 1) } else { &nothing };
        for ((sum, &new), &old) in sums.iter_mut().zip(row(entering)).zip(leaving) {
            *sum = slide(*sum, new, old);
        }
        if let Ok(y) = usize::try_from(y) {
            let result = &mut pixels[y * samples..(y + 1) * samples];
            result.iter_mut().zip(&sums).for_each(|(sample, &sum)| *sample = divide(sum));
        }
    }
    Frame::new(frame.width(), frame.height(), pixels).expect("as many rows as the picture has")
}

/// The sum of `count` neighbours (at most 255 of them, so that it fits) for each place of `sums`: sums of 1, 2, 4, 8 …
/// neighbours are doubled, and those that make up `count` are added.
#[inline(always)]
fn sum_across(padded: &[u8], count: usize, doubled: &mut Vec<u16>, sums: &mut [u16]) {
    doubled.clear();
    doubled.extend(padded.iter().map(|&sample| u16::from(sample)));
    sums.fill(0);
    let (mut size, mut offset) = (1, 0);
    while size <= count {
        if count & size != 0 {
            let from = &doubled[offset * 3..];
            sums.iter_mut().zip(from).for_each(|(sum, value)| *sum = sum.wrapping_add(*value));
            offset += size;
        }
        let usable = doubled.len().saturating_sub(size * 3);
        for at in 0..usable {
            doubled[at] = doubled[at].wrapping_add(doubled[at + size * 3]);
        }
        size *= 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn division_is_exact_for_every_sum() {
        for side in (3..=SMALL as u16).step_by(2) {
            let count = side * side;
            let share = Share::of(count);
            for sum in 0..=count * 255 {
                let rounded = (f64::from(sum) / f64::from(count)).round() as u8;
                assert_eq!(share.take(sum), rounded, "{sum} / {count}");
            }
        }
    }

    #[test]
    fn sums_are_those_of_the_neighbours() {
        let padded: Vec<u8> = (0..60 * 3).map(|at| (at * 37 % 256) as u8).collect();
        for count in [3, 5, 9, 31] {
            let mut sums = vec![0; padded.len() - (count - 1) * 3];
            sum_across(&padded, count, &mut Vec::new(), &mut sums);
            for (at, &sum) in sums.iter().enumerate() {
                let plain: u16 = (0..count).map(|near| u16::from(padded[at + near * 3])).sum();
                assert_eq!(sum, plain, "{count} at {at}");
            }
        }
    }
}
