//! How much picture may be taken in. Checked against the header, before anything is decoded.

use crate::VisionError;

/// Bounds on what is decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Width × height may not be more; 50 million by default.
    pub max_pixels: u64,
    /// The encoded file may not be larger, bytes; 64 MiB by default.
    pub max_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { max_pixels: 50_000_000, max_bytes: 64 * 1024 * 1024 }
    }
}

impl Limits {
    /// # Errors
    /// [`VisionError::TooManyBytes`].
    pub(crate) fn check_bytes(&self, bytes: usize) -> Result<(), VisionError> {
        let bytes = bytes as u64;
        if bytes > self.max_bytes {
            return Err(VisionError::TooManyBytes { bytes, max_bytes: self.max_bytes });
        }
        Ok(())
    }

    /// # Errors
    /// [`VisionError::TooManyPixels`].
    pub(crate) fn check_pixels(&self, width: u32, height: u32) -> Result<(), VisionError> {
        if u64::from(width) * u64::from(height) > self.max_pixels {
            return Err(VisionError::TooManyPixels { width, height, max_pixels: self.max_pixels });
        }
        Ok(())
    }
}
