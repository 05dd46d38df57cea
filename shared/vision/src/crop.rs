//! Cutting out. Boxes are half-open: column x1 belongs to the crop, column x2 does not.

use crate::Frame;

/// A rectangle of whole pixels, half-open, never outside its picture; may be empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PixelBox {
    /// First column.
    pub x: u32,
    /// First row.
    pub y: u32,
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
}

impl PixelBox {
    /// The pixels of `[x1, y1, x2, y2]` on a picture of width × height: corners rounded half to even (Python's
    /// `round`, NumPy's `rint`), then clamped. Corners that are no numbers, or in the wrong order, give an empty box.
    #[must_use]
    pub fn from_corners([x1, y1, x2, y2]: [f64; 4], (width, height): (u32, u32)) -> Self {
        if [x1, y1, x2, y2].iter().any(|value| value.is_nan()) {
            return Self { x: 0, y: 0, width: 0, height: 0 };
        }
        let whole = |value: f64, side: u32| value.round_ties_even().clamp(0.0, f64::from(side)) as u32;
        let (x1, x2) = (whole(x1, width), whole(x2, width));
        let (y1, y2) = (whole(y1, height), whole(y2, height));
        Self { x: x1, y: y1, width: x2.saturating_sub(x1), height: y2.saturating_sub(y1) }
    }

    /// Whether there is no pixel in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.width == 0 || self.height == 0
    }

    /// Its pixels.
    #[must_use]
    pub fn area(&self) -> u64 {
        u64::from(self.width) * u64::from(self.height)
    }

    /// The affine map from the crop's pixels to the picture's, row-major.
    #[must_use]
    pub fn to_parent(&self) -> [f64; 6] {
        [1.0, 0.0, f64::from(self.x), 0.0, 1.0, f64::from(self.y)]
    }
}

/// The pixels of `part`. What lies outside the frame is left away, so the result may be smaller than asked for.
#[must_use]
pub fn crop(frame: &Frame, part: PixelBox) -> Frame {
    let x = part.x.min(frame.width());
    let width = part.width.min(frame.width() - x);
    let y = part.y.min(frame.height());
    let height = part.height.min(frame.height() - y);
    if width == frame.width() && height == frame.height() {
        return frame.clone();
    }
    let mut pixels = Vec::with_capacity(width as usize * height as usize * 3);
    let columns = x as usize * 3..(x + width) as usize * 3;
    for row in y..y + height {
        pixels.extend_from_slice(&frame.row(row)[columns.clone()]);
    }
    Frame::new(width, height, pixels).expect("a crop has the pixels of its rows")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn corners_round_half_to_even_and_clamp() {
        let part = PixelBox::from_corners([0.5, 1.5, 2.5, 3.5], (10, 10));
        assert_eq!(part, PixelBox { x: 0, y: 2, width: 2, height: 2 });
        let part = PixelBox::from_corners([-5.0, 8.2, 4.4, 99.0], (10, 10));
        assert_eq!(part, PixelBox { x: 0, y: 8, width: 4, height: 2 });
        assert!(PixelBox::from_corners([3.0, 3.0, 3.4, 9.0], (10, 10)).is_empty());
        assert!(PixelBox::from_corners([f64::NAN, 0.0, f64::NAN, 5.0], (10, 10)).is_empty());
        assert!(PixelBox::from_corners([5.0, 5.0, 2.0, 2.0], (10, 10)).is_empty());
    }

    #[test]
    fn the_right_pixels_are_cut_out() {
        let pixels = (0..12u8).flat_map(|n| [n; 3]).collect();
        let frame = Frame::new(4, 3, pixels).unwrap();
        let cut = crop(&frame, PixelBox { x: 1, y: 1, width: 2, height: 2 });
        let values: Vec<u8> = cut.pixels().iter().step_by(3).copied().collect();
        assert_eq!(values, [5, 6, 9, 10]);
        assert!(crop(&frame, PixelBox { x: 9, y: 9, width: 2, height: 2 }).is_empty());
    }
}
