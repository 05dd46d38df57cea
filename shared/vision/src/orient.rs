//! EXIF orientation: stored pixels to upright ones. The eight cases of EXIF 2.3, tag 0x0112.

use image::metadata::Orientation;

use crate::{Flip, Frame, Rotation};

/// Whether the orientation exchanges width and height.
pub(crate) fn swaps_sides(orientation: Orientation) -> bool {
    use Orientation::{Rotate90, Rotate90FlipH, Rotate270, Rotate270FlipH};
    matches!(orientation, Rotate90 | Rotate270 | Rotate90FlipH | Rotate270FlipH)
}

/// The upright picture. Costs nothing when it is stored upright.
pub(crate) fn upright(frame: Frame, orientation: Orientation) -> Frame {
    let (degrees, horizontal, vertical) = match orientation {
        Orientation::NoTransforms => return frame,
        Orientation::FlipHorizontal => (0.0, true, false),
        Orientation::FlipVertical => (0.0, false, true),
        Orientation::Rotate180 => (180.0, false, false),
        // Orientations turn clockwise, rotations the other way.
        Orientation::Rotate90 => (270.0, false, false),
        Orientation::Rotate90FlipH => (270.0, true, false),
        Orientation::Rotate270 => (90.0, false, false),
        Orientation::Rotate270FlipH => (90.0, true, false),
    };
    let flip = Flip { horizontal, vertical };
    Rotation { degrees, expand: true, flip, fill: [0; 3] }.paint(&frame)
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
