//! Quarter turns and mirrors: each pixel of the result is one of the picture's.

use std::ops::Range;

use super::mirror::mirror;
use super::moved::Moved;

/// Side of the squares that a quarter turn goes by, pixels: their rows and columns fit the nearest cache.
const SQUARE: usize = 64;

/// Whole places along a side of the picture, one per pixel of the result: `start`, then one on or one back each.
#[derive(Clone, Copy)]
struct Steps {
    start: isize,
    step: isize,
}

impl Steps {
    /// Of the pixel in column x the middle is taken there, which is half a pixel on: −1 where the way is back.
    fn new(start: f64, step: f64) -> Self {
        Self { start: start as isize + (step as isize).min(0), step: step as isize }
    }

    fn at(self, position: usize) -> usize {
        (self.start + self.step * position as isize) as usize
    }

    /// Those of the first `count` positions that lie on a side of `length` pixels.
    fn inside(self, length: usize, count: usize) -> Range<usize> {
        let (first, end) = match self.step {
            1 => (-self.start, length as isize - self.start),
            _ => (self.start + 1 - length as isize, self.start + 1),
        };
        let within = |at: isize| at.clamp(0, count as isize) as usize;
        within(first)..within(end)
    }
}

impl Moved<'_> {
    /// For maps of whole numbers.
    pub(super) fn exactly(&self, width: usize, height: usize) -> Vec<u8> {
        let [a, b, c, d, e, f] = self.to_parent;
        if a == 0.0 {
            self.sideways((width, height), Steps::new(f, d), Steps::new(c, b))
        } else {
            self.straight((width, height), Steps::new(c, a), Steps::new(f, e))
        }
    }

    /// Rows come from rows.
    fn straight(&self, (width, height): (usize, usize), across: Steps, down: Steps) -> Vec<u8> {
        let blank = self.fill.repeat(width);
        let columns = across.inside(self.frame.width() as usize, width);
        let rows = down.inside(self.frame.height() as usize, height);
        let mut mirrored = vec![0; columns.len() * 3];
        let mut pixels = Vec::with_capacity(width * height * 3);
        for y in 0..height {
            if columns.is_empty() || !rows.contains(&y) {
                pixels.extend_from_slice(&blank);
                continue;
            }
            let ends = [across.at(columns.start), across.at(columns.end - 1)];
            let part = ends[0].min(ends[1]) * 3..(ends[0].max(ends[1]) + 1) * 3;
            let source = &self.frame.row(down.at(y) as u32)[part];
            pixels.extend_from_slice(&blank[..columns.start * 3]);
            if across.step > 0 {
                pixels.extend_from_slice(source);
            } else {
                mirror(source, &mut mirrored);
                pixels.extend_from_slice(&mirrored);
            }
            pixels.extend_from_slice(&blank[columns.end * 3..]);
        }
        pixels
    }

    /// Rows come from columns: in squares, so that what was fetched for one row serves the next ones.
    fn sideways(&self, (width, height): (usize, usize), across: Steps, down: Steps) -> Vec<u8> {
        let blank = self.fill.repeat(width);
        let columns = across.inside(self.frame.height() as usize, width);
        let rows = down.inside(self.frame.width() as usize, height);
        let mut strip = blank.repeat(SQUARE);
        let mut pixels = blank.repeat(rows.start);
        pixels.reserve_exact(width * height * 3 - pixels.len());
        for top in rows.clone().step_by(SQUARE) {
            let shown = &mut strip[..SQUARE.min(rows.end - top) * width * 3];
            for left in columns.clone().step_by(SQUARE) {
                let square = left..columns.end.min(left + SQUARE);
                for (y, row) in (top..).zip(shown.chunks_exact_mut(width * 3)) {
                    self.column(down.at(y), across, &square, row);
                }
            }
            pixels.extend_from_slice(shown);
        }
        pixels.extend_from_slice(&blank.repeat(height - rows.end));
        pixels
    }

    /// Column `x` of the picture to the places `square` of a row.
    fn column(&self, x: usize, across: Steps, square: &Range<usize>, row: &mut [u8]) {
        let width = self.frame.width() as usize;
        let source = self.frame.pixels().as_chunks::<3>().0;
        let mut from = across.at(square.start) * width + x;
        let step = across.step * width as isize;
        for pixel in row[square.start * 3..square.end * 3].as_chunks_mut::<3>().0 {
            *pixel = source[from];
            from = from.wrapping_add_signed(step);
        }
    }
}
