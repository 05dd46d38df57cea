//! Where an image came from: one affine map from its pixels to the pixels of the root image.

use serde::{Deserialize, Serialize};

use crate::BlobId;

/// The affine map from this image's pixel coordinates to the root image's.
///
/// Coordinates are continuous: the pixel in column 0 covers 0.0 to 1.0. Row-major
/// `[a, b, c, d, e, f]`: `x' = a·x + b·y + c`, `y' = d·x + e·y + f`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Lineage {
    /// The image the map leads to.
    pub root: BlobId,
    /// Width of the root, pixels.
    pub root_width: u32,
    /// Height of the root, pixels.
    pub root_height: u32,
    /// The map.
    pub to_root: [f64; 6],
}

impl Lineage {
    /// The lineage of a root image: itself.
    #[must_use]
    pub fn root(root: BlobId, width: u32, height: u32) -> Self {
        Self { root, root_width: width, root_height: height, to_root: [1.0, 0.0, 0.0, 0.0, 1.0, 0.0] }
    }

    /// The lineage of an image made from this one, given the map from the new image's pixels to this one's.
    #[must_use]
    pub fn derive(&self, to_parent: [f64; 6]) -> Self {
        let [a, b, c, d, e, f] = self.to_root;
        let [g, h, i, j, k, l] = to_parent;
        let to_root = [
            a * g + b * j,
            a * h + b * k,
            a * i + b * l + c,
            d * g + e * j,
            d * h + e * k,
            d * i + e * l + f,
        ];
        Self { to_root, ..*self }
    }

    /// A point of this image in root pixels.
    #[must_use]
    pub fn point_to_root(&self, x: f64, y: f64) -> (f64, f64) {
        let [a, b, c, d, e, f] = self.to_root;
        (a * x + b * y + c, d * x + e * y + f)
    }

    /// A point of the root in this image's pixels; none when the map cannot be inverted.
    #[must_use]
    pub fn point_from_root(&self, x: f64, y: f64) -> Option<(f64, f64)> {
        let [a, b, c, d, e, f] = self.to_root;
        let determinant = a * e - b * d;
        if determinant.abs() < 1e-12 {
            return None;
        }
        let (dx, dy) = (x - c, y - f);
        Some(((e * dx - b * dy) / determinant, (a * dy - d * dx) / determinant))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn derived_maps_compose_and_invert() {
        let root = Lineage::root(BlobId::of(b"x"), 640, 480);
        // A crop at (100, 50), then a resize to half its size.
        let crop = root.derive([1.0, 0.0, 100.0, 0.0, 1.0, 50.0]);
        let half = crop.derive([2.0, 0.0, 0.0, 0.0, 2.0, 0.0]);
        assert_eq!(half.point_to_root(10.0, 10.0), (120.0, 70.0));
        let (x, y) = half.point_from_root(120.0, 70.0).unwrap();
        assert!((x - 10.0).abs() < 1e-9 && (y - 10.0).abs() < 1e-9);
    }
}
