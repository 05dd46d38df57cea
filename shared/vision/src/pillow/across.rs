//! The pass across. A new sample is made of samples beside each other, in which vectors find no common weight; so rows
//! are turned, many at once, and what is left is the loop of the pass down.

use std::ops::Range;

use super::sums::{HALF, mix, rounded};
use super::taps::Taps;
use super::turned::{COLUMNS, Column, ROWS, Turner};
use crate::simd::widest;

/// Rows to take at once, if there are so many.
pub(super) const AT_ONCE: usize = ROWS;
/// For fewer rows, turning them costs more than it gains.
const FEWEST: usize = 4;
/// Longer rows (of samples) are not turned, as the room for that is as many times a row as rows are turned at once.
const LONGEST: usize = 1 << 17;

/// The pass across, for rows that begin where its [`Across::source`] does.
pub(super) struct Across {
    taps: Taps,
    source: Range<usize>,
    turner: Option<Turner>,
    /// Room for turned rows, before and after.
    columns: Vec<Column>,
    made: Vec<Column>,
}

impl Across {
    pub(super) fn new(taps: Taps) -> Self {
        let source = taps.source();
        let short = source.len().max(taps.len()) * 3 <= LONGEST;
        let turner = Turner::new().filter(|_| short);
        Self { taps, source, turner, columns: Vec::new(), made: Vec::new() }
    }

    /// The columns of the picture, pixels, that it looks at.
    pub(super) fn source(&self) -> Range<usize> {
        self.source.clone()
    }

    /// Samples in a row of the result.
    pub(super) fn stride(&self) -> usize {
        self.taps.len() * 3
    }

    /// As many rows as `into` has room for, at most [`AT_ONCE`].
    pub(super) fn scale<'a>(&mut self, row: impl Fn(usize) -> &'a [u8], into: &mut [u8]) {
        let stride = self.stride();
        let count = into.len() / stride;
        match self.turner {
            Some(turner) if count >= FEWEST => self.scale_turned(turner, row, into),
            _ => {
                for (number, into) in into.chunks_exact_mut(stride).enumerate() {
                    self.scale_row(row(number), into);
                }
            }
        }
    }

    fn scale_turned<'a>(&mut self, turner: Turner, row: impl Fn(usize) -> &'a [u8], into: &mut [u8]) {
        let stride = self.stride();
        let last = into.len() / stride - 1;
        let length = self.source.len() * 3;
        self.columns.resize(length.next_multiple_of(COLUMNS), [0; ROWS]);
        self.made.resize(stride.next_multiple_of(COLUMNS), [0; ROWS]);
        turner.columns(&std::array::from_fn(|number| &row(number.min(last))[..length]), &mut self.columns);
        let (columns, made) = (self.columns.as_chunks::<3>().0, self.made.as_chunks_mut::<3>().0);
        let (taps, first) = (&self.taps, self.source.start);
        widest(
            #[inline(always)]
            || {
                let mut sums = [0; 3 * ROWS];
                for (pixel, (start, weights)) in made.iter_mut().zip(taps.iter()) {
                    let from = &columns[start - first..][..weights.len()];
                    // Of its own, so that the compiler need not ask whether it lies among the columns.
                    let mut mixed = [0; 3 * ROWS];
                    mix(
                        #[inline(always)]
                        |tap| from[tap].as_flattened(),
                        weights,
                        &mut sums,
                        &mut mixed,
                    );
                    pixel.as_flattened_mut().copy_from_slice(&mixed);
                }
            },
        );
        turner.rows(&self.made, into.chunks_exact_mut(stride));
    }

    fn scale_row(&self, row: &[u8], into: &mut [u8]) {
        for (pixel, (start, weights)) in into.as_chunks_mut::<3>().0.iter_mut().zip(self.taps.iter()) {
            let samples = row[(start - self.source.start) * 3..].as_chunks::<3>().0;
            let mut sums = [HALF; 3];
            for (sample, &weight) in samples.iter().zip(weights) {
                for (sum, &sample) in sums.iter_mut().zip(sample) {
                    *sum += i32::from(sample) * weight;
                }
            }
            *pixel = sums.map(rounded);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Resample;
    use super::*;
    use crate::span::Span;

    #[test]
    fn turned_rows_give_what_rows_one_by_one_give() {
        let samples: Vec<u8> = (0..AT_ONCE * 40 * 3).map(|at| (at * at % 251) as u8).collect();
        for (old, new, resample) in [
            (40, 7, Resample::Bilinear),
            (40, 53, Resample::Bicubic),
            (3, 16, Resample::Lanczos),
            (16, 1, Resample::Box),
            (1, 5, Resample::Hamming),
        ] {
            for wanted in [0..new, new / 2..new] {
                let stride = old as usize * 3;
                let taps =
                    || Taps::new(Span::whole(old), new, resample, wanted.start as usize..wanted.end as usize);
                let (mut quick, mut plain) = (Across::new(taps()), Across::new(taps()));
                plain.turner = None;
                let row =
                    |number| &samples[number * stride + plain.source.start * 3..][..plain.source.len() * 3];
                for count in [1, FEWEST, AT_ONCE / 2 + 1, AT_ONCE] {
                    let mut made = vec![0; count * quick.stride()];
                    let mut expected = made.clone();
                    quick.scale(row, &mut made);
                    expected.chunks_exact_mut(plain.stride()).enumerate().for_each(|(number, into)| {
                        plain.scale_row(row(number), into);
                    });
                    assert_eq!(made, expected, "{old} to {wanted:?} of {new} by {resample:?}, {count} rows");
                }
            }
        }
    }
}
