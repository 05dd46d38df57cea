//! Quarter turns and mirrors: each pixel of the result is one of the picture's.

use std::ops::Range;

use super::mirror::mirror;
use super::moved::Moved;
use super::quads::{self, Quads};

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
        let quads = Quads::new();
        let mut strip = blank.repeat(SQUARE);
        let mut pixels = blank.repeat(rows.start);
        pixels.reserve_exact(width * height * 3 - pixels.len());
        for top in rows.clone().step_by(SQUARE) {
            let shown = &mut strip[..SQUARE.min(rows.end - top) * width * 3];
            for left in columns.clone().step_by(SQUARE) {
                let places = left * 3..columns.end.min(left + SQUARE) * 3;
                for (y, rows) in (top..).step_by(4).zip(shown.chunks_mut(4 * width * 3)) {
                    let mut rows = rows.chunks_exact_mut(width * 3).map(|row| &mut row[places.clone()]);
                    match [rows.next(), rows.next(), rows.next(), rows.next()] {
                        [Some(a), Some(b), Some(c), Some(d)] => {
                            self.four_columns(
                                quads,
                                [0, 1, 2, 3].map(|at| down.at(y + at)),
                                (across, left),
                                [a, b, c, d],
                            );
                        }
                        rows => rows.into_iter().flatten().zip(y..).for_each(|(row, y)| {
                            self.column(down.at(y), (across, left), row);
                        }),
                    }
                }
            }
            pixels.extend_from_slice(shown);
        }
        pixels.extend_from_slice(&blank.repeat(height - rows.end));
        pixels
    }

    /// Four columns of the picture that are neighbours, as rows, from their place `first` on.
    fn four_columns(
        &self,
        quads: Option<Quads>,
        columns: [usize; 4],
        (along, first): (Steps, usize),
        [a, b, c, d]: [&mut [u8]; 4],
    ) {
        let width = self.frame.width() as usize;
        let left = columns[0].min(columns[3]);
        let mut done = 0;
        if let Some(quads) = quads.filter(|_| left + quads::READS <= width) {
            let start = (along.at(first) * width + left) * 3;
            let rows = [&mut *a, &mut *b, &mut *c, &mut *d];
            done = rows[0].len() / (4 * 3) * 4;
            let rows = if columns[0] == left {
                rows
            } else {
                let [a, b, c, d] = rows;
                [d, c, b, a]
            };
            quads.turn(self.frame.pixels(), start, along.step * width as isize * 3, rows);
        }
        for (x, row) in columns.into_iter().zip([a, b, c, d]) {
            self.column(x, (along, first + done), &mut row[done * 3..]);
        }
    }

    /// Column `x` of the picture, as a row, from its place `first` on.
    fn column(&self, x: usize, (along, first): (Steps, usize), row: &mut [u8]) {
        let width = self.frame.width() as usize;
        let source = self.frame.pixels().as_chunks::<3>().0;
        let step = along.step * width as isize;
        let mut from = along.start.wrapping_add(along.step * first as isize) * width as isize + x as isize;
        for pixel in row.as_chunks_mut::<3>().0 {
            *pixel = source[from as usize];
            from += step;
        }
    }
}
