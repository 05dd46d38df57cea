//! EXIF orientation: stored pixels to upright ones. The eight cases of EXIF 2.3, tag 0x0112.

use image::metadata::Orientation;

use crate::Frame;

/// Whether the orientation exchanges width and height.
pub(crate) fn swaps_sides(orientation: Orientation) -> bool {
    use Orientation::{Rotate90, Rotate90FlipH, Rotate270, Rotate270FlipH};
    matches!(orientation, Rotate90 | Rotate270 | Rotate90FlipH | Rotate270FlipH)
}

/// The upright picture. Costs nothing when it is stored upright.
pub(crate) fn upright(frame: Frame, orientation: Orientation) -> Frame {
    if orientation == Orientation::NoTransforms || frame.is_empty() {
        return frame;
    }
    let (stored_width, stored_height) = (frame.width() as usize, frame.height() as usize);
    let (width, height) =
        if swaps_sides(orientation) { (stored_height, stored_width) } else { (stored_width, stored_height) };
    let source = frame.pixels();
    let mut pixels = Vec::with_capacity(source.len());
    for y in 0..height {
        for x in 0..width {
            let (sx, sy) = stored_position(orientation, (x, y), (stored_width, stored_height));
            let start = (sy * stored_width + sx) * 3;
            pixels.extend_from_slice(&source[start..start + 3]);
        }
    }
    Frame::new(width as u32, height as u32, pixels).expect("turning a frame keeps its number of pixels")
}

/// Where the upright pixel (x, y) is stored.
fn stored_position(
    orientation: Orientation,
    (x, y): (usize, usize),
    (w, h): (usize, usize),
) -> (usize, usize) {
    match orientation {
        Orientation::NoTransforms => (x, y),
        Orientation::FlipHorizontal => (w - 1 - x, y),
        Orientation::Rotate180 => (w - 1 - x, h - 1 - y),
        Orientation::FlipVertical => (x, h - 1 - y),
        Orientation::Rotate90FlipH => (y, x),
        Orientation::Rotate90 => (y, h - 1 - x),
        Orientation::Rotate270FlipH => (w - 1 - y, h - 1 - x),
        Orientation::Rotate270 => (w - 1 - y, x),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A 2 × 3 picture whose pixels are numbered row by row, turned upright.
    fn turned(exif: u8) -> (u32, u32, Vec<u8>) {
        let pixels = (0..6u8).flat_map(|n| [n, n, n]).collect();
        let frame = Frame::new(2, 3, pixels).unwrap();
        let frame = upright(frame, Orientation::from_exif(exif).unwrap());
        (frame.width(), frame.height(), frame.pixels().iter().step_by(3).copied().collect())
    }

    #[test]
    fn all_eight_orientations_become_upright() {
        assert_eq!(turned(1), (2, 3, vec![0, 1, 2, 3, 4, 5]));
        assert_eq!(turned(2), (2, 3, vec![1, 0, 3, 2, 5, 4]));
        assert_eq!(turned(3), (2, 3, vec![5, 4, 3, 2, 1, 0]));
        assert_eq!(turned(4), (2, 3, vec![4, 5, 2, 3, 0, 1]));
        assert_eq!(turned(5), (3, 2, vec![0, 2, 4, 1, 3, 5]));
        assert_eq!(turned(6), (3, 2, vec![4, 2, 0, 5, 3, 1]));
        assert_eq!(turned(7), (3, 2, vec![5, 3, 1, 4, 2, 0]));
        assert_eq!(turned(8), (3, 2, vec![1, 3, 5, 0, 2, 4]));
    }
}
