//! The one form pixels have in memory: RGB, 8 bits, row-major without padding, shared by reference count.

use std::sync::Arc;

use crate::VisionError;

/// An upright RGB picture. Cloning shares the pixels.
#[derive(Clone, PartialEq, Eq)]
pub struct Frame {
    width: u32,
    height: u32,
    pixels: Arc<Vec<u8>>,
}

impl Frame {
    /// A frame of `width` × `height` pixels, three bytes each, row by row. Either side may be 0.
    ///
    /// # Errors
    /// [`VisionError::WrongSize`] when `pixels` is not width × height × 3 bytes long.
    pub fn new(width: u32, height: u32, pixels: Vec<u8>) -> Result<Self, VisionError> {
        if pixels.len() as u64 != u64::from(width) * u64::from(height) * 3 {
            return Err(VisionError::WrongSize { width, height, samples: pixels.len() });
        }
        Ok(Self { width, height, pixels: Arc::new(pixels) })
    }

    /// A frame of one colour.
    #[must_use]
    pub fn filled(width: u32, height: u32, colour: [u8; 3]) -> Self {
        let pixels = colour.repeat(width as usize * height as usize);
        Self { width, height, pixels: Arc::new(pixels) }
    }

    /// Pixels across.
    #[must_use]
    pub fn width(&self) -> u32 {
        self.width
    }

    /// Pixels down.
    #[must_use]
    pub fn height(&self) -> u32 {
        self.height
    }

    /// Whether there is no pixel in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.width == 0 || self.height == 0
    }

    /// R, G, B of every pixel, row by row.
    #[must_use]
    pub fn pixels(&self) -> &[u8] {
        &self.pixels
    }

    /// Bytes held, for caches with a budget.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.pixels.len()
    }

    /// The pixel in column `x` of row `y`; none outside.
    #[must_use]
    pub fn pixel(&self, x: u32, y: u32) -> Option<[u8; 3]> {
        if x >= self.width || y >= self.height {
            return None;
        }
        let start = (y as usize * self.width as usize + x as usize) * 3;
        self.pixels.get(start..start + 3)?.try_into().ok()
    }

    /// The pixels, without a copy where nobody else holds them.
    #[must_use]
    pub fn into_pixels(self) -> Vec<u8> {
        Arc::unwrap_or_clone(self.pixels)
    }

    /// The same picture without colour, three equal channels: luma as Pillow's `convert("L")` rounds it (ITU-R 601-2).
    #[must_use]
    pub fn grey(&self) -> Self {
        let luma = |pixel: &[u8]| {
            let [red, green, blue] = [0, 1, 2].map(|channel| u32::from(pixel[channel]));
            [((red * 19_595 + green * 38_470 + blue * 7_471 + 0x8000) >> 16) as u8; 3]
        };
        let pixels = self.pixels.chunks_exact(3).flat_map(luma).collect();
        Self { width: self.width, height: self.height, pixels: Arc::new(pixels) }
    }

    /// Row `y`, three bytes per pixel; empty outside.
    pub(crate) fn row(&self, y: u32) -> &[u8] {
        let stride = self.width as usize * 3;
        let start = y as usize * stride;
        self.pixels.get(start..start + stride).unwrap_or_default()
    }
}

impl std::fmt::Debug for Frame {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Frame({} x {})", self.width, self.height)
    }
}
