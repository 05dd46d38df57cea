//! Scaling to the bit as Pillow 13's `Image.resize` does it on 8-bit RGB: an antialiased convolution across, rounded to 8
//! bits, then one down, with weights of 22 bits (`src/libImaging/Resample.c`); nearest neighbour as its affine transform
//! does it (`Geometry.c`).
//!
//! Only what the window shows is computed, and rows are handed out one by one, so that whoever turns them into
//! floats need not store them first. Both passes are one loop over lines of samples (`sums`): for the pass across, rows are
//! turned first (`turned`).

mod across;
mod filters;
mod narrowed;
mod sums;
mod taps;
mod turned;

use std::ops::Range;

use crate::span::Span;
use crate::{Frame, PixelBox, VisionError};
use across::{AT_ONCE, Across};
use narrowed::Narrowed;
use sums::blend;
use taps::{Taps, nearest};

pub use filters::Resample;

/// Scales the frame to `size` and gives `each` the rows of the part of the result that `window` shows, top to bottom,
/// three bytes per pixel. What of the window lies outside is left away.
///
/// # Errors
/// [`VisionError::Empty`] when a picture without pixels is to have some.
pub fn pillow_rows(
    frame: &Frame,
    size: (u32, u32),
    resample: Resample,
    window: PixelBox,
    each: impl FnMut(&[u8]),
) -> Result<(), VisionError> {
    let spans = [Span::whole(frame.width()), Span::whole(frame.height())];
    Scaling { frame, spans, size, resample, order: Order::Pillows }.rows(window, each)
}

/// The whole frame at another size, as Pillow makes it.
///
/// # Errors
/// [`VisionError::Empty`] when a picture without pixels is to have some.
pub fn pillow_resize(frame: &Frame, size: (u32, u32), resample: Resample) -> Result<Frame, VisionError> {
    let spans = [Span::whole(frame.width()), Span::whole(frame.height())];
    Scaling { frame, spans, size, resample, order: Order::Pillows }.whole()
}

/// A part of a picture and the size it gets: Pillow's `resize` with a `box`.
pub(crate) struct Scaling<'a> {
    pub(crate) frame: &'a Frame,
    /// The part, across and down.
    pub(crate) spans: [Span; 2],
    pub(crate) size: (u32, u32),
    pub(crate) resample: Resample,
    pub(crate) order: Order,
}

/// Which pass comes first. It shows in single levels of rounding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// The one that does in Pillow.
    Pillows,
    /// The one with which both cost less.
    Cheapest,
}

impl Scaling<'_> {
    /// All of the result.
    pub(crate) fn whole(&self) -> Result<Frame, VisionError> {
        let (width, height) = self.size;
        let mut pixels = Vec::with_capacity(width as usize * height as usize * 3);
        let window = PixelBox { x: 0, y: 0, width, height };
        self.rows(window, |row| pixels.extend_from_slice(row))?;
        Frame::new(width, height, pixels)
    }

    /// The rows of the part of the result that `window` shows.
    fn rows(&self, window: PixelBox, mut each: impl FnMut(&[u8])) -> Result<(), VisionError> {
        let window = inside(window, self.size);
        if window.is_empty() {
            return Ok(());
        }
        let (frame, [wide, high]) = (self.frame, self.spans);
        if frame.is_empty() {
            return Err(VisionError::Empty { action: "scale", width: frame.width(), height: frame.height() });
        }
        let columns = window.x as usize..(window.x + window.width) as usize;
        let rows = window.y as usize..(window.y + window.height) as usize;
        if self.resample == Resample::Nearest {
            self.nearest(columns, rows, each);
            return Ok(());
        }
        let taps = |span: Span, new, wanted: &Range<usize>| {
            (!span.stays(new)).then(|| Taps::new(span, new, self.resample, wanted.clone()))
        };
        match (taps(wide, self.size.0, &columns), taps(high, self.size.1, &rows)) {
            (None, None) => rows.for_each(|row| each(self.row(row, &columns))),
            (None, Some(down)) => self.down(&down, &columns, each),
            (Some(across), None) => {
                let mut across = Across::new(across);
                let source = across.source();
                in_groups(rows.len(), across.stride(), each, |first, into| {
                    across.scale(|row| self.row(rows.start + first + row, &source), into);
                });
            }
            (Some(across), Some(down)) if self.down_first(&across, &down) => {
                self.down_then_across(&down, Across::new(across), each);
            }
            (Some(across), Some(down)) => {
                let source = across.source();
                Narrowed::new(Across::new(across), down.source()).blended(
                    &down,
                    |row| self.row(row, &source),
                    each,
                );
            }
        }
        Ok(())
    }

    /// These columns of a row of the picture.
    fn row(&self, row: usize, columns: &Range<usize>) -> &[u8] {
        &self.frame.row(row as u32)[columns.start * 3..columns.end * 3]
    }

    fn nearest(&self, columns: Range<usize>, rows: Range<usize>, mut each: impl FnMut(&[u8])) {
        let [across, down] = [nearest(self.spans[0], self.size.0), nearest(self.spans[1], self.size.1)];
        let mut line = Vec::with_capacity(columns.len() * 3);
        for row in &down[rows] {
            let source = self.frame.row(*row as u32).as_chunks::<3>().0;
            line.clear();
            across[columns.clone()].iter().for_each(|&x| line.extend_from_slice(&source[x]));
            each(&line);
        }
    }

    /// Only the pass down, of these columns.
    fn down(&self, down: &Taps, columns: &Range<usize>, mut each: impl FnMut(&[u8])) {
        let mut line = vec![0; columns.len() * 3];
        for (start, weights) in down.iter() {
            blend(|tap| self.row(start + tap, columns), weights, &mut line);
            each(&line);
        }
    }

    fn down_then_across(&self, down: &Taps, mut across: Across, each: impl FnMut(&[u8])) {
        let source = across.source();
        let stride = source.len() * 3;
        let mut lines = vec![0; stride * AT_ONCE.min(down.len())];
        let mut blended = down.iter();
        in_groups(down.len(), across.stride(), each, |_, into| {
            for (line, (start, weights)) in lines.chunks_exact_mut(stride).zip(&mut blended) {
                blend(|tap| self.row(start + tap, &source), weights, line);
            }
            across.scale(|row| &lines[row * stride..][..stride], into);
        });
    }

    fn down_first(&self, across: &Taps, down: &Taps) -> bool {
        match self.order {
            // In Pillow 13, against which this was verified: where the height shrinks by more than twice what the width does.
            Order::Pillows => {
                let [across, down] = [(0, self.size.0), (1, self.size.1)]
                    .map(|(axis, new)| self.spans[axis].extent - f64::from(new));
                down > 0.0 && down > across * 2.0
            }
            Order::Cheapest => {
                // In multiplications per channel. Turning a sample takes as long as two.
                let (width, height) = (across.source().len(), down.source().len());
                let row = across.weights() + 2 * width;
                down.weights() * width + down.len() * row < height * row + down.weights() * across.len()
            }
        }
    }
}

/// Makes `count` rows of `stride` samples, so many at once as the pass across takes, and hands them out one by one. `make`
/// is told the number of the first.
fn in_groups(
    count: usize,
    stride: usize,
    mut each: impl FnMut(&[u8]),
    mut make: impl FnMut(usize, &mut [u8]),
) {
    let mut group = vec![0; stride * AT_ONCE.min(count)];
    for first in (0..count).step_by(AT_ONCE) {
        let group = &mut group[..stride * AT_ONCE.min(count - first)];
        make(first, group);
        group.chunks_exact(stride).for_each(&mut each);
    }
}

/// The part of the window that lies on a picture of this size.
fn inside(window: PixelBox, (width, height): (u32, u32)) -> PixelBox {
    let (x, y) = (window.x.min(width), window.y.min(height));
    PixelBox { x, y, width: window.width.min(width - x), height: window.height.min(height - y) }
}
