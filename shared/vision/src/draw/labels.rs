//! Where labels go: above their box, else below, else inside; never outside the picture, and off each other where
//! there is room.

use super::canvas::{Area, Canvas};
use super::palette::ink_on;
use super::text::{Letters, Line};
use super::{BoxStyle, Rgb};
use crate::Frame;

/// Letters smaller than this cannot be read, pixels.
const SMALLEST_TEXT: f32 = 8.0;

/// On both sides of the text, and above and below it, in heights of a letter.
const PADDING: (f32, f32) = (0.3, 0.1);

/// How tall letters are on a picture of this width and height.
fn text_pixels((width, height): (u32, u32), style: &BoxStyle) -> f32 {
    // Letters grow with the picture's diagonal, as it is usually shown scaled to a screen.
    let normal = (f64::from(width) * f64::from(height)).sqrt() as f32 / 40.0;
    (normal.clamp(13.0, 48.0) * style.text_scale).clamp(SMALLEST_TEXT, 480.0)
}

/// About how many pixels the label of a text has on a picture of this width and height, without measuring it: letters are half as
/// wide as tall, most of them.
pub(super) fn label_pixels(text: &str, size: (u32, u32), style: &BoxStyle) -> u64 {
    let letter = f64::from(text_pixels(size, style));
    let side = |letters: f64, padding: f32, most: u32| {
        (letter * (letters + 2.0 * f64::from(padding))).min(f64::from(most))
    };
    let width = side(text.chars().count() as f64 / 2.0, PADDING.0, size.0);
    (width * side(1.0, PADDING.1, size.1)) as u64
}

/// The labels of one picture.
pub(super) struct Labels {
    text_pixels: f32,
    line: f32,
    rounded: bool,
    placed: Vec<Area>,
    letters: Letters,
}

impl Labels {
    pub(super) fn new(frame: &Frame, style: &BoxStyle) -> Self {
        Self {
            text_pixels: text_pixels((frame.width(), frame.height()), style),
            line: style.thickness.max(0.5),
            rounded: style.roundness > 0.0,
            placed: Vec::new(),
            letters: Letters::default(),
        }
    }

    /// Writes `text` for the box, on a ground of the box's colour.
    pub(super) fn put(&mut self, canvas: &mut Canvas, text: &str, bbox: [f32; 4], colour: Rgb) {
        let (width, height) = canvas.size();
        let (pad_x, pad_y) = (self.text_pixels * PADDING.0, self.text_pixels * PADDING.1);
        let line = Line::fit(text, self.text_pixels, width - 2.0 * pad_x);
        let size = ((line.width + 2.0 * pad_x).ceil(), (line.height + 2.0 * pad_y).ceil());
        let area = self.choose(bbox, size, (width, height));
        canvas.fill(area, colour, if self.rounded { 0.35 } else { 0.0 });
        let corner = (area.left + pad_x, area.top + pad_y);
        line.draw(canvas, corner, ink_on(colour), &mut self.letters);
        self.placed.push(area);
    }

    /// The first place that is free; the first of all when none is.
    fn choose(&self, [x1, y1, x2, y2]: [f32; 4], size: (f32, f32), picture: (f32, f32)) -> Area {
        let edge = self.line / 2.0;
        let left = (x1 - edge).floor();
        let flush_right = (x2 + edge).ceil() - size.0;
        let above = (y1 - edge).round() - size.1;
        let below = (y2 + edge).round();
        let inside = (y1 + edge).round();
        let candidates =
            [(left, above), (flush_right, above), (left, below), (left, inside), (flush_right, inside)];
        let fits = |&(_, top): &(f32, f32)| top >= 0.0 && top + size.1 <= picture.1;
        let places = candidates.iter().filter(|place| fits(place)).chain(&candidates);
        let mut areas = places.map(|&(left, top)| within((left, top), size, picture));
        let first = areas.next().expect("there are five candidates");
        std::iter::once(first).chain(areas).find(|area| self.is_free(area)).unwrap_or(first)
    }

    fn is_free(&self, area: &Area) -> bool {
        !self.placed.iter().any(|other| other.overlaps(area))
    }
}

/// The rectangle moved into the picture; where it is larger than the picture its beginning is kept.
fn within((left, top): (f32, f32), (width, height): (f32, f32), picture: (f32, f32)) -> Area {
    let left = left.min(picture.0 - width).max(0.0);
    let top = top.min(picture.1 - height).max(0.0);
    Area { left, top, right: (left + width).min(picture.0), bottom: (top + height).min(picture.1) }
}
