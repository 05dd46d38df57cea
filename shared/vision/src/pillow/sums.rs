//! Weighted sums of lines of samples: the one loop of both passes, written for the processor's vectors.

use super::taps::PRECISION_BITS;
use crate::simd::widest;

/// Half of one, in the fixed point of the weights: sums are rounded, not cut.
pub(super) const HALF: i32 = 1 << (PRECISION_BITS - 1);
/// Lines that are added in one round, whose sums never leave the registers.
const ROUND: usize = 8;
/// Samples of a row that are worked on at once where it takes more rounds: their sums stay in the nearest cache.
const STRETCH: usize = 1024;

/// The pass down: one row of the result, of as many rows as there are weights.
pub(super) fn blend<'a>(row: impl Fn(usize) -> &'a [u8], weights: &[i32], into: &mut [u8]) {
    widest(
        #[inline(always)]
        || {
            if weights.len() <= ROUND {
                return mix(row, weights, &mut [], into);
            }
            let mut sums = [0; STRETCH];
            for (number, into) in into.chunks_mut(STRETCH).enumerate() {
                let stretch = number * STRETCH..number * STRETCH + into.len();
                mix(
                    #[inline(always)]
                    |tap| &row(tap)[stretch.clone()],
                    weights,
                    &mut sums,
                    into,
                );
            }
        },
    );
}

/// The sums of lines, each times its weight. `sums` is room for them, which only more lines than a round's need.
#[inline(always)]
pub(super) fn mix<'a>(line: impl Fn(usize) -> &'a [u8], weights: &[i32], sums: &mut [i32], into: &mut [u8]) {
    match weights.len() {
        0..=2 => mix_at_once(&Lines::<2>::new(line, weights, into.len()), into),
        3..=4 => mix_at_once(&Lines::<4>::new(line, weights, into.len()), into),
        5..=6 => mix_at_once(&Lines::<6>::new(line, weights, into.len()), into),
        7..=ROUND => mix_at_once(&Lines::<ROUND>::new(line, weights, into.len()), into),
        _ => mix_in_rounds(line, weights, &mut sums[..into.len()], into),
    }
}

#[inline(always)]
fn mix_at_once<const N: usize>(lines: &Lines<'_, N>, into: &mut [u8]) {
    for (at, sample) in into.iter_mut().enumerate() {
        *sample = rounded(HALF + lines.sum(at));
    }
}

#[inline(always)]
fn mix_in_rounds<'a>(line: impl Fn(usize) -> &'a [u8], weights: &[i32], sums: &mut [i32], into: &mut [u8]) {
    sums.fill(HALF);
    for (number, weights) in weights.chunks(ROUND).enumerate() {
        let lines = Lines::<ROUND>::new(
            #[inline(always)]
            |tap| line(number * ROUND + tap),
            weights,
            into.len(),
        );
        for (at, sum) in sums.iter_mut().enumerate() {
            *sum += lines.sum(at);
        }
    }
    into.iter_mut().zip(sums).for_each(|(sample, sum)| *sample = rounded(*sum));
}

/// Lines of equal length and their weights; what is missing to `N` of them weighs nothing.
struct Lines<'a, const N: usize> {
    lines: [&'a [u8]; N],
    weights: [i32; N],
}

impl<'a, const N: usize> Lines<'a, N> {
    /// Of at least one line and at most `N`.
    #[inline(always)]
    fn new(line: impl Fn(usize) -> &'a [u8], weights: &[i32], length: usize) -> Self {
        let mut some = Self { lines: [&line(0)[..length]; N], weights: [0; N] };
        for (tap, &weight) in weights.iter().enumerate().take(N) {
            some.lines[tap] = &line(tap)[..length];
            some.weights[tap] = weight;
        }
        some
    }

    /// What they come to at a place.
    #[inline(always)]
    fn sum(&self, at: usize) -> i32 {
        let mut sum = 0;
        for tap in 0..N {
            sum += i32::from(self.lines[tap][at]) * self.weights[tap];
        }
        sum
    }
}

#[inline(always)]
pub(super) fn rounded(sum: i32) -> u8 {
    (sum >> PRECISION_BITS).clamp(0, 255) as u8
}
