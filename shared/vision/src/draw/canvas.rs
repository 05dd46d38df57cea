//! The picture while it is drawn on: tiny-skia's RGBA, and the shapes that are needed.

use tiny_skia::{FillRule, LineJoin, Paint, Path, PathBuilder, Pixmap, Stroke, Transform};

use super::{BoxStyle, Rgb};
use crate::{Frame, VisionError};

/// Control points of a cubic that follows a quarter of a circle: 4/3 · (√2 − 1).
const QUARTER_CIRCLE: f32 = 0.552_284_8;

/// A picture that can be drawn on.
pub(super) struct Canvas {
    pixels: Pixmap,
}

/// A rectangle by its corners, pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Area {
    pub(super) left: f32,
    pub(super) top: f32,
    pub(super) right: f32,
    pub(super) bottom: f32,
}

impl Area {
    pub(super) fn overlaps(&self, other: &Self) -> bool {
        self.left < other.right
            && other.left < self.right
            && self.top < other.bottom
            && other.top < self.bottom
    }
}

impl Canvas {
    /// A copy of the frame; none when there is no pixel to draw on.
    pub(super) fn of(frame: &Frame) -> Option<Self> {
        let mut pixels = Pixmap::new(frame.width(), frame.height())?;
        for (to, from) in pixels.data_mut().chunks_exact_mut(4).zip(frame.pixels().chunks_exact(3)) {
            to[..3].copy_from_slice(from);
            to[3] = 255;
        }
        Some(Self { pixels })
    }

    pub(super) fn into_frame(self) -> Result<Frame, VisionError> {
        let (width, height) = (self.pixels.width(), self.pixels.height());
        // Opaque from the start and never made less so: premultiplied and plain colour are the same.
        let mut rgb = Vec::with_capacity(width as usize * height as usize * 3);
        self.pixels.data().chunks_exact(4).for_each(|pixel| rgb.extend_from_slice(&pixel[..3]));
        Frame::new(width, height, rgb)
    }

    pub(super) fn size(&self) -> (f32, f32) {
        (self.pixels.width() as f32, self.pixels.height() as f32)
    }

    /// The outline of a box. The line lies inside the picture even where the box stands over its edge.
    pub(super) fn outline(&mut self, [x1, y1, x2, y2]: [f32; 4], colour: Rgb, style: &BoxStyle) {
        let (width, height) = self.size();
        if x2 < x1 || y2 < y1 || x2 < 0.0 || y2 < 0.0 || x1 > width || y1 > height {
            return;
        }
        let line = style.thickness.clamp(0.5, width.min(height).max(0.5));
        let inset = line / 2.0;
        let within = |low: f32, high: f32, side: f32| {
            let low = low.clamp(inset, (side - inset).max(inset));
            (low, high.clamp(low, (side - inset).max(low)))
        };
        let (left, right) = within(x1, x2, width);
        let (top, bottom) = within(y1, y2, height);
        let Some(path) = rounded(Area { left, top, right, bottom }, style.roundness) else { return };
        let line_join = if style.roundness > 0.0 { LineJoin::Round } else { LineJoin::Miter };
        let stroke = Stroke { width: line, line_join, ..Stroke::default() };
        self.pixels.stroke_path(&path, &paint(colour), &stroke, Transform::identity(), None);
    }

    /// A filled rectangle with corners of `roundness`.
    pub(super) fn fill(&mut self, area: Area, colour: Rgb, roundness: f32) {
        if let Some(path) = rounded(area, roundness) {
            self.pixels.fill_path(&path, &paint(colour), FillRule::Winding, Transform::identity(), None);
        }
    }

    /// Lays `colour` over the pixel with the weight `coverage`, 0 to 1; nothing outside the picture.
    pub(super) fn blend(&mut self, x: i32, y: i32, colour: Rgb, coverage: f32) {
        let (width, height) = (self.pixels.width() as i32, self.pixels.height() as i32);
        if x < 0 || y < 0 || x >= width || y >= height {
            return;
        }
        let start = (y as usize * width as usize + x as usize) * 4;
        let weight = coverage.clamp(0.0, 1.0);
        for (sample, ink) in self.pixels.data_mut()[start..start + 3].iter_mut().zip(colour) {
            let mixed = f32::from(*sample) + (f32::from(ink) - f32::from(*sample)) * weight;
            *sample = mixed.round() as u8;
        }
    }
}

fn paint(colour: Rgb) -> Paint<'static> {
    let mut paint = Paint { anti_alias: true, ..Paint::default() };
    paint.set_color_rgba8(colour[0], colour[1], colour[2], 255);
    paint
}

/// A rectangle whose corners take `roundness` of half its shorter side; none when it has no extent at all.
fn rounded(area: Area, roundness: f32) -> Option<Path> {
    let Area { left, top, right, bottom } = area;
    let mut path = PathBuilder::new();
    let radius = (right - left).min(bottom - top) / 2.0 * roundness.clamp(0.0, 1.0);
    if radius <= 0.0 {
        path.move_to(left, top);
        path.line_to(right, top);
        path.line_to(right, bottom);
        path.line_to(left, bottom);
        path.close();
        return path.finish();
    }
    let arm = radius * (1.0 - QUARTER_CIRCLE);
    path.move_to(left + radius, top);
    path.line_to(right - radius, top);
    path.cubic_to(right - arm, top, right, top + arm, right, top + radius);
    path.line_to(right, bottom - radius);
    path.cubic_to(right, bottom - arm, right - arm, bottom, right - radius, bottom);
    path.line_to(left + radius, bottom);
    path.cubic_to(left + arm, bottom, left, bottom - arm, left, bottom - radius);
    path.line_to(left, top + radius);
    path.cubic_to(left, top + arm, left + arm, top, left + radius, top);
    path.close();
    path.finish()
}
