//! Scaling to the bit as Pillow 13's `Image.resize` does it on 8-bit RGB: an antialiased convolution across, rounded to 8
//! bits, then one down, with weights of 22 bits (`src/libImaging/Resample.c`); nearest neighbour as its affine transform
//! does it (`Geometry.c`).
//!
//! Only what the window shows is computed, and rows are handed out one by one, so that whoever turns them into
//! floats need not store them first.

mod filters;
mod taps;

use crate::{Frame, PixelBox, VisionError};
use taps::{Taps, nearest};

pub use filters::Resample;

/// Half of one, in the fixed point of the weights: sums are rounded, not cut.
const HALF: i32 = 1 << (taps::PRECISION_BITS - 1);

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
    mut each: impl FnMut(&[u8]),
) -> Result<(), VisionError> {
    let window = inside(window, size);
    if window.is_empty() {
        return Ok(());
    }
    if frame.is_empty() {
        return Err(VisionError::Empty { action: "scale", width: frame.width(), height: frame.height() });
    }
    let columns = window.x as usize..(window.x + window.width) as usize;
    let rows = window.y as usize..(window.y + window.height) as usize;
    if size == (frame.width(), frame.height()) {
        rows.for_each(|row| each(&frame.row(row as u32)[columns.start * 3..columns.end * 3]));
        return Ok(());
    }
    if resample == Resample::Nearest {
        let (across, down) = (nearest(frame.width(), size.0), nearest(frame.height(), size.1));
        let mut line = Vec::with_capacity(columns.len() * 3);
        for row in &down[rows] {
            let source = frame.row(*row);
            line.clear();
            across[columns.clone()].iter().for_each(|&x| {
                line.extend_from_slice(&source[x as usize * 3..x as usize * 3 + 3]);
            });
            each(&line);
        }
        return Ok(());
    }
    let across =
        (size.0 != frame.width()).then(|| Taps::new(frame.width(), size.0, resample, columns.clone()));
    let down = (size.1 != frame.height()).then(|| Taps::new(frame.height(), size.1, resample, rows.clone()));
    match (&across, &down) {
        (Some(across), Some(down)) if down_first(frame, size) => {
            // Only the columns that the pass across looks at.
            let strip = Narrowed::new(frame, down.source(), &across.source(), None);
            let mut line = vec![0u8; columns.len() * 3];
            strip.blended(down, |row| {
                narrow(row, across.source().start, across, &mut line);
                each(&line);
            });
        }
        (across, Some(down)) => {
            Narrowed::new(frame, down.source(), &columns, across.as_ref()).blended(down, each);
        }
        (across, None) => Narrowed::new(frame, rows, &columns, across.as_ref()).rows().for_each(each),
    }
    Ok(())
}

/// Whether the pass down comes first: in Pillow 13, against which this was verified, where the height shrinks by more than
/// twice what the width does. It shows in single levels of rounding.
fn down_first(frame: &Frame, size: (u32, u32)) -> bool {
    let shrinks = |old: u32, new: u32| i64::from(old) - i64::from(new);
    let (across, down) = (shrinks(frame.width(), size.0), shrinks(frame.height(), size.1));
    down > 0 && down > across * 2
}

/// The whole frame at another size, as Pillow makes it.
///
/// # Errors
/// [`VisionError::Empty`] when a picture without pixels is to have some.
pub fn pillow_resize(frame: &Frame, size: (u32, u32), resample: Resample) -> Result<Frame, VisionError> {
    let mut pixels = Vec::with_capacity(size.0 as usize * size.1 as usize * 3);
    let whole = PixelBox { x: 0, y: 0, width: size.0, height: size.1 };
    pillow_rows(frame, size, resample, whole, |row| pixels.extend_from_slice(row))?;
    Frame::new(size.0, size.1, pixels)
}

/// The rows that the pass down needs, after the pass across.
struct Narrowed<'a> {
    /// The first row there is.
    first: usize,
    stride: usize,
    pixels: std::borrow::Cow<'a, [u8]>,
}

impl<'a> Narrowed<'a> {
    fn new(
        frame: &'a Frame,
        rows: std::ops::Range<usize>,
        columns: &std::ops::Range<usize>,
        across: Option<&Taps>,
    ) -> Self {
        let (first, stride) = (rows.start, columns.len() * 3);
        let width = frame.width() as usize;
        if across.is_none() && columns.len() == width {
            let pixels = frame.pixels()[rows.start * stride..rows.end * stride].into();
            return Self { first, stride, pixels };
        }
        let mut pixels = vec![0u8; rows.len() * stride];
        for (row, into) in rows.zip(pixels.chunks_exact_mut(stride)) {
            let source = frame.row(row as u32);
            match across {
                Some(taps) => narrow(source, 0, taps, into),
                None => into.copy_from_slice(&source[columns.start * 3..columns.end * 3]),
            }
        }
        Self { first, stride, pixels: pixels.into() }
    }

    fn rows(&self) -> impl Iterator<Item = &[u8]> {
        self.pixels.chunks_exact(self.stride)
    }

    /// The pass down.
    fn blended(&self, down: &Taps, mut each: impl FnMut(&[u8])) {
        let mut sums = vec![0i32; self.stride];
        let mut line = vec![0u8; self.stride];
        for (start, weights) in down.iter() {
            sums.fill(HALF);
            for (row, &weight) in (start..).zip(weights) {
                for (sum, &sample) in sums.iter_mut().zip(self.row(row)) {
                    *sum += i32::from(sample) * weight;
                }
            }
            line.iter_mut().zip(&sums).for_each(|(sample, &sum)| *sample = rounded(sum));
            each(&line);
        }
    }

    fn row(&self, row: usize) -> &[u8] {
        let start = (row - self.first) * self.stride;
        &self.pixels[start..start + self.stride]
    }
}

/// The pass across, of one row that begins with the pixel `first`.
fn narrow(source: &[u8], first: usize, taps: &Taps, into: &mut [u8]) {
    for (pixel, (start, weights)) in into.chunks_exact_mut(3).zip(taps.iter()) {
        let start = start - first;
        let samples = &source[start * 3..(start + weights.len()) * 3];
        let (mut red, mut green, mut blue) = (HALF, HALF, HALF);
        for (sample, &weight) in samples.chunks_exact(3).zip(weights) {
            red += i32::from(sample[0]) * weight;
            green += i32::from(sample[1]) * weight;
            blue += i32::from(sample[2]) * weight;
        }
        pixel.copy_from_slice(&[rounded(red), rounded(green), rounded(blue)]);
    }
}

fn rounded(sum: i32) -> u8 {
    (sum >> taps::PRECISION_BITS).clamp(0, 255) as u8
}

/// The part of the window that lies on a picture of this size.
fn inside(window: PixelBox, (width, height): (u32, u32)) -> PixelBox {
    let (x, y) = (window.x.min(width), window.y.min(height));
    PixelBox { x, y, width: window.width.min(width - x), height: window.height.min(height - y) }
}
