//! Captions on pictures that are made of pictures.

use super::Rgb;
use super::canvas::{Area, Canvas};
use super::text::{Letters, Line};
use crate::{Frame, VisionError};

const INK: Rgb = [255, 255, 255];
const GROUND: Rgb = [24, 24, 27];

/// A caption at the lower edge of a part of the picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Writing<'a> {
    pub(crate) text: &'a str,
    /// The part's left edge, pixels.
    pub(crate) left: u32,
    /// The part's lower edge, pixels.
    pub(crate) bottom: u32,
    /// The part's width, pixels: what is longer is cut with an ellipsis.
    pub(crate) width: u32,
}

/// The picture with these captions.
pub(crate) fn write(frame: &Frame, writings: &[Writing<'_>]) -> Result<Frame, VisionError> {
    if writings.is_empty() {
        return Ok(frame.clone());
    }
    let Some(mut canvas) = Canvas::of(frame) else { return Ok(frame.clone()) };
    let mut letters = Letters::default();
    for writing in writings {
        let pixels = (writing.width as f32 / 12.0).clamp(11.0, 32.0);
        let pad = pixels * 0.3;
        let line = Line::fit(writing.text, pixels, writing.width as f32 - 2.0 * pad);
        let (left, bottom) = (writing.left as f32, writing.bottom as f32);
        let top = bottom - (line.height + pad).ceil();
        let right = left + (line.width + 2.0 * pad).ceil();
        canvas.fill(Area { left, top, right, bottom }, GROUND, 0.0);
        line.draw(&mut canvas, (left + pad, top + pad / 2.0), INK, &mut letters);
    }
    canvas.into_frame()
}

/// Two pictures beside each other, with a line between them; the second is cut, or filled up in black, to the first one's
/// height.
///
/// # Errors
/// None in practice: as [`Frame::new`].
pub fn beside(first: &Frame, second: &Frame) -> Result<Frame, VisionError> {
    let line = line_between(first.width());
    let mut pixels = Vec::with_capacity(first.pixels().len() + second.pixels().len());
    for y in 0..first.height() {
        pixels.extend_from_slice(first.row(y));
        pixels.extend(std::iter::repeat_n(INK, line as usize).flatten());
        let row = second.row(y);
        pixels.extend_from_slice(row);
        pixels.extend(std::iter::repeat_n(0, second.width() as usize * 3 - row.len()));
    }
    Frame::new(first.width() + line + second.width(), first.height(), pixels)
}

/// The size of two pictures of this width and height beside each other, as [`beside`] puts them.
#[must_use]
pub fn beside_size((width, height): (u32, u32)) -> (u32, u32) {
    (width.saturating_mul(2).saturating_add(line_between(width)), height)
}

fn line_between(width: u32) -> u32 {
    (width / 200).clamp(1, 8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_pictures_beside_each_other_are_as_large_as_was_said() {
        for width in [1, 450, 2_000] {
            let frame = Frame::filled(width, 3, [9; 3]);
            let both = beside(&frame, &frame).unwrap();
            assert_eq!((both.width(), both.height()), beside_size((width, 3)));
        }
        assert_eq!(beside_size((u32::MAX, 1)), (u32::MAX, 1));
    }
}
