//! The mean of a square, down the columns and then across by running sums: the cost hardly depends on the kernel.

use super::border::{mirrored, pad};
use crate::Frame;
use crate::simd::widest;

/// Up to this side the sum of a square fits 16 bits: 15² · 255 = 57,375.
const SMALL: usize = 15;

pub(super) fn average(frame: &Frame, radius: usize) -> Frame {
    let side = 2 * radius + 1;
    if side <= SMALL {
        let share = Share::of((side * side) as u16);
        widest(
            #[inline(always)]
            || filtered(frame, radius, u16::wrapping_add, |sum| share.take(sum)),
        )
    } else {
        let share = 1.0 / (side * side) as f32;
        // Sums of whole numbers below 2^24 are exact in a float, and 255² · 255 is.
        widest(
            #[inline(always)]
            || filtered(frame, radius, u32::wrapping_add, |sum| (sum as f32 * share + 0.5) as u8),
        )
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

/// `add` adds sums of squares, `divide` makes a level of one.
#[inline(always)]
fn filtered<S: Copy + Default + From<u16>>(
    frame: &Frame,
    radius: usize,
    add: impl Fn(S, S) -> S + Copy,
    divide: impl Fn(S) -> u8,
) -> Frame {
    let (samples, height) = (frame.width() as usize * 3, frame.height() as usize);
    let row = |at: isize| frame.row(mirrored(at, height) as u32);
    let nothing = vec![0u8; samples];
    // Sums of the rows y − radius … y + radius, at most 255 of them: 255 · 255 fits.
    let mut columns = vec![0u16; samples + 2 * radius * 3];
    let mut squares = Squares::new(samples, columns.len());
    let mut line = vec![0u8; samples];
    let mut pixels = Vec::with_capacity(samples * height);
    let first = -(radius as isize);
    // The square above the picture, then one row down for each row of the result.
    for entering in first..=(height - 1 + radius) as isize {
        let y = entering - radius as isize;
        let leaving = if y > 0 { row(y - radius as isize - 1) } else { &nothing };
        let inner = columns[radius * 3..][..samples].iter_mut();
        for ((sum, &new), &old) in inner.zip(row(entering)).zip(leaving) {
            *sum = sum.wrapping_add(new.into()).wrapping_sub(old.into());
        }
        if y >= 0 {
            pad(&mut columns, radius, mirrored);
            let sums = squares.sum(&columns, 2 * radius + 1, add);
            line.iter_mut().zip(sums).for_each(|(sample, &sum)| *sample = divide(sum));
            pixels.extend_from_slice(&line);
        }
    }
    Frame::new(frame.width(), frame.height(), pixels).expect("as many rows as the picture has")
}

/// Sums across, and room to make them in.
struct Squares<S> {
    sums: Vec<S>,
    /// Sums of 1, 2, 4, 8 … neighbours, and those of twice as many.
    doubled: [Vec<S>; 2],
}

impl<S: Copy + Default + From<u16>> Squares<S> {
    fn new(samples: usize, padded: usize) -> Self {
        let doubled = [(); 2].map(|()| vec![S::default(); padded]);
        Self { sums: vec![S::default(); samples], doubled }
    }

    /// The sum of `side` neighbours (an odd number of them) for each place: sums of 1, 2, 4, 8 … neighbours are
    /// doubled, and those that make up `side` are added.
    #[inline(always)]
    fn sum(&mut self, columns: &[u16], side: usize, add: impl Fn(S, S) -> S) -> &[S] {
        let [now, next] = &mut self.doubled;
        self.sums.iter_mut().zip(columns).for_each(|(sum, &column)| *sum = column.into());
        let pairs = columns.iter().zip(&columns[3..]);
        now.iter_mut().zip(pairs).for_each(|(sum, (&left, &right))| *sum = add(left.into(), right.into()));
        let (mut size, mut offset) = (2, 1);
        loop {
            if side & size != 0 {
                let from = &now[offset * 3..];
                self.sums.iter_mut().zip(from).for_each(|(sum, &value)| *sum = add(*sum, value));
                offset += size;
            }
            if 2 * size > side {
                return &self.sums;
            }
            let pairs = now.iter().zip(&now[size * 3..]);
            next.iter_mut().zip(pairs).for_each(|(sum, (&left, &right))| *sum = add(left, right));
            std::mem::swap(now, next);
            size *= 2;
        }
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
        let columns: Vec<u16> = (0..60 * 3).map(|at| at * 37 % 256).collect();
        for side in [3, 5, 9, 31] {
            let samples = columns.len() - (side - 1) * 3;
            let mut squares = Squares::<u32>::new(samples, columns.len());
            for (at, &sum) in squares.sum(&columns, side, u32::wrapping_add).iter().enumerate() {
                let plain: u32 = (0..side).map(|near| u32::from(columns[at + near * 3])).sum();
                assert_eq!(sum, plain, "{side} at {at}");
            }
        }
    }
}
