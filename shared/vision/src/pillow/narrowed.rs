//! The pass down over what the pass across made. Of that, only the rows are kept that a row of the result still needs.

use std::ops::Range;

use super::across::{AT_ONCE, Across};
use super::sums::blend;
use super::taps::Taps;

/// Rows after the pass across.
pub(super) struct Narrowed {
    across: Across,
    /// The rows of the picture that are made so far and still kept.
    kept: Range<usize>,
    /// The last row that is needed, and one.
    end: usize,
    /// The kept rows, one after the other.
    pixels: Vec<u8>,
}

impl Narrowed {
    /// Of these rows of the picture.
    pub(super) fn new(across: Across, rows: Range<usize>) -> Self {
        Self { across, kept: rows.start..rows.start, end: rows.end, pixels: Vec::new() }
    }

    /// The pass down. `row` gives the rows of the picture.
    pub(super) fn blended<'a>(
        mut self,
        down: &Taps,
        row: impl Fn(usize) -> &'a [u8],
        mut each: impl FnMut(&[u8]),
    ) {
        let stride = self.across.stride();
        let mut line = vec![0; stride];
        for (start, weights) in down.iter() {
            self.keep(start..start + weights.len(), &row);
            let kept = &self.pixels[(start - self.kept.start) * stride..];
            blend(|tap| &kept[tap * stride..][..stride], weights, &mut line);
            each(&line);
        }
    }

    /// Makes the rows up to the last of these, and forgets those before the first when they have become many.
    fn keep<'a>(&mut self, rows: Range<usize>, row: impl Fn(usize) -> &'a [u8]) {
        let stride = self.across.stride();
        // Not beyond what there is: between the rows of two rows of the result there may be one that neither needs.
        let done = rows.start.min(self.kept.end) - self.kept.start;
        if done >= AT_ONCE {
            self.pixels.drain(..done * stride);
            self.kept.start += done;
        }
        while self.kept.end < rows.end {
            let first = self.kept.end;
            let count = AT_ONCE.min(self.end - first);
            let made = self.pixels.len();
            self.pixels.resize(made + count * stride, 0);
            self.across.scale(|number| row(first + number), &mut self.pixels[made..]);
            self.kept.end += count;
        }
    }
}
