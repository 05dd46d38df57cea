//! The letterbox of the Ultralytics reference (`LetterBox`, version 8.4): scaled by one gain, sides rounded half to
//! even, centred on grey 114, an odd pixel of padding going to the bottom and the right.

use crate::{Filter, Frame, Placement, VisionError};

/// A letterbox of so many pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Letterbox {
    width: u32,
    height: u32,
    multiple_of: Option<u32>,
}

impl Letterbox {
    /// The padding's grey.
    pub const GREY: [u8; 3] = [114; 3];

    /// A canvas of exactly `width` × `height` pixels.
    #[must_use]
    pub fn new(width: u32, height: u32) -> Self {
        Self { width, height, multiple_of: None }
    }

    /// Padding only up to the next multiple of `stride` pixels, as the reference does for graphs that take any size
    /// (its `auto`).
    #[must_use]
    pub fn multiple_of(self, stride: u32) -> Self {
        Self { multiple_of: Some(stride.max(1)), ..self }
    }

    /// Where a source of width × height pixels lands.
    #[must_use]
    pub fn place(&self, source: (u32, u32)) -> Placement {
        let whole = [0.0, 0.0, f64::from(source.0), f64::from(source.1)];
        if source.0 == 0 || source.1 == 0 {
            let canvas = (self.width, self.height);
            return Placement { source, used: whole, scaled: (0, 0), offset: (0, 0), canvas };
        }
        let gain = (f64::from(self.height) / whole[3]).min(f64::from(self.width) / whole[2]);
        // Python's round is half to even; a very long picture still gets a row.
        let side = |own: f64, most: u32| ((own * gain).round_ties_even() as u32).clamp(1, most.max(1));
        let scaled = (side(whole[2], self.width), side(whole[3], self.height));
        let (left, right) = self.padding(self.width, scaled.0);
        let (top, bottom) = self.padding(self.height, scaled.1);
        let canvas = (left + scaled.0 + right, top + scaled.1 + bottom);
        Placement { source, used: whole, scaled, offset: (left, top), canvas }
    }

    /// Padding before and after: `round(d − 0.1)` and `round(d + 0.1)` of half the gap `d`.
    fn padding(&self, side: u32, scaled: u32) -> (u32, u32) {
        let gap = side.saturating_sub(scaled);
        let gap = self.multiple_of.map_or(gap, |stride| gap % stride);
        let half = f64::from(gap) / 2.0;
        let before = (half - 0.1).round_ties_even().max(0.0) as u32;
        (before, (half + 0.1).round_ties_even() as u32)
    }
}

/// Paints `frame` into a letterbox, and says where it landed.
///
/// # Errors
/// None for a letterbox of at least one pixel; [`VisionError::WrongSize`] cannot occur by construction.
pub fn letterbox(frame: &Frame, shape: Letterbox, filter: Filter) -> Result<(Frame, Placement), VisionError> {
    let placement = shape.place((frame.width(), frame.height()));
    Ok((placement.paint(frame, filter, Letterbox::GREY)?, placement))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(source: (u32, u32)) -> Placement {
        Letterbox::new(320, 320).place(source)
    }

    #[test]
    fn sides_round_half_to_even_and_the_odd_pixel_goes_last() {
        let wide = place((640, 480));
        assert_eq!((wide.scaled, wide.offset), ((320, 240), (0, 40)));
        // 427 × 640: 213.5 rounds to the even 214 (Python: round(213.5) == 214).
        let tall = place((427, 640));
        assert_eq!((tall.scaled, tall.offset), ((214, 320), (53, 0)));
        // 500 × 333: 213.12 → 213, gap 107, half 53.5: 53 before, 54 after.
        let odd = place((500, 333));
        assert_eq!((odd.scaled, odd.offset, odd.canvas), ((320, 213), (0, 53), (320, 320)));
    }

    #[test]
    fn a_graph_of_any_size_is_padded_to_the_stride_only() {
        let placed = Letterbox::new(640, 640).multiple_of(32).place((1080, 810));
        assert_eq!((placed.scaled, placed.canvas), ((640, 480), (640, 480)));
        let placed = Letterbox::new(640, 640).multiple_of(32).place((640, 500));
        assert_eq!((placed.scaled, placed.canvas, placed.offset), ((640, 500), (640, 512), (0, 6)));
    }

    #[test]
    fn pictures_of_one_pixel_of_none_and_very_long_ones_work() {
        for source in [(1, 1), (0, 0), (0, 7), (10_000, 1), (1, 10_000)] {
            let frame = Frame::filled(source.0, source.1, [9, 9, 9]);
            let (boxed, placement) =
                letterbox(&frame, Letterbox::new(320, 320), Filter::OpenCvLinear).unwrap();
            assert_eq!((boxed.width(), boxed.height()), (320, 320));
            assert!(placement.to_parent().iter().all(|value| value.is_finite()));
        }
    }
}
