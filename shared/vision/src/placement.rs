//! Where a part of a source picture lands on a canvas: the one description behind resize, fit, fill and letterbox, and
//! the way back for everything found on the canvas.

use crate::{Filter, Frame, Reduction, VisionError, resize};

/// A rectangle of the source, scaled to `scaled` pixels and put on a canvas at `offset`.
///
/// Coordinates are continuous: the pixel in column 0 covers 0.0 to 1.0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Placement {
    /// Size of the whole source, pixels.
    pub source: (u32, u32),
    /// The part of it that is used: `[x, y, width, height]`, source pixels.
    pub used: [f64; 4],
    /// Size of that part after scaling, pixels.
    pub scaled: (u32, u32),
    /// Where its top left corner lands, canvas pixels.
    pub offset: (u32, u32),
    /// Size of the canvas, pixels.
    pub canvas: (u32, u32),
}

impl Placement {
    /// Scaled by the two sides' own gains, nothing around it.
    #[must_use]
    pub fn stretch(source: (u32, u32), to: (u32, u32)) -> Self {
        let used = [0.0, 0.0, f64::from(source.0), f64::from(source.1)];
        Self { source, used, scaled: to, offset: (0, 0), canvas: to }
    }

    /// The same, of a source that was decoded at less than its size.
    #[must_use]
    pub fn of_reduced(&self, reduction: Reduction) -> Self {
        let factor = f64::from(reduction.factor());
        let source = (reduction.of(self.source.0), reduction.of(self.source.1));
        Self { source, used: self.used.map(|side| side / factor), ..*self }
    }

    /// Canvas pixels per source pixel, horizontally and vertically; 1 where there is nothing to compare.
    #[must_use]
    pub fn gain(&self) -> (f64, f64) {
        let ratio =
            |scaled: u32, used: f64| if used > 0.0 && scaled > 0 { f64::from(scaled) / used } else { 1.0 };
        (ratio(self.scaled.0, self.used[2]), ratio(self.scaled.1, self.used[3]))
    }

    /// The affine map from canvas pixels to source pixels, row-major, as lineages take it.
    #[must_use]
    pub fn to_parent(&self) -> [f64; 6] {
        let (gain_x, gain_y) = self.gain();
        let [x, y, ..] = self.used;
        let (left, top) = (f64::from(self.offset.0), f64::from(self.offset.1));
        [1.0 / gain_x, 0.0, x - left / gain_x, 0.0, 1.0 / gain_y, y - top / gain_y]
    }

    /// A box `[x1, y1, x2, y2]` on the canvas in source pixels, clipped to the source.
    ///
    /// In single precision and in this order of operations (`(v − pad) ÷ gain`, gain = rounded side ÷ side) because
    /// that is what Ultralytics 8.4's `scale_boxes` does with a gain per axis.
    #[must_use]
    pub fn box_to_source(&self, [x1, y1, x2, y2]: [f32; 4]) -> [f32; 4] {
        let (gain_x, gain_y) = self.gain();
        let back = |value: f32, offset: u32, gain: f64, start: f64, side: u32| {
            ((value - offset as f32) / gain as f32 + start as f32).clamp(0.0, side as f32)
        };
        let across = |x| back(x, self.offset.0, gain_x, self.used[0], self.source.0);
        let down = |y| back(y, self.offset.1, gain_y, self.used[1], self.source.1);
        [across(x1), down(y1), across(x2), down(y2)]
    }

    /// A box in source pixels on the canvas. Not clipped.
    #[must_use]
    pub fn box_to_canvas(&self, [x1, y1, x2, y2]: [f32; 4]) -> [f32; 4] {
        let (gain_x, gain_y) = self.gain();
        let across = |x: f32| ((f64::from(x) - self.used[0]) * gain_x) as f32 + self.offset.0 as f32;
        let down = |y: f32| ((f64::from(y) - self.used[1]) * gain_y) as f32 + self.offset.1 as f32;
        [across(x1), down(y1), across(x2), down(y2)]
    }

    /// Paints it: the scaled part on a canvas of `pad`.
    ///
    /// # Errors
    /// [`VisionError::Empty`] when an empty source would have to fill pixels.
    pub fn paint(&self, frame: &Frame, filter: Filter, pad: [u8; 3]) -> Result<Frame, VisionError> {
        if self.scaled.0 == 0 || self.scaled.1 == 0 {
            return Ok(Frame::filled(self.canvas.0, self.canvas.1, pad));
        }
        let scaled = resize::scale_part(frame, self.used, self.scaled, filter)?;
        if self.scaled == self.canvas {
            return Ok(scaled);
        }
        let (width, height) = self.canvas;
        let mut pixels = pad.repeat(width as usize * height as usize);
        let stride = width as usize * 3;
        for y in 0..scaled.height() {
            let row = scaled.row(y);
            let start = (self.offset.1 + y) as usize * stride + self.offset.0 as usize * 3;
            pixels[start..start + row.len()].copy_from_slice(row);
        }
        Frame::new(width, height, pixels)
    }
}
