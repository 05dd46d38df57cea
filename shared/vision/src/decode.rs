//! Encoded bytes to an upright frame. The rule: nothing is allocated for pixels before the header passed the limits.
//!
//! The reference is OpenCV's `imread` in colour mode: EXIF orientation applied, alpha dropped without blending (unless a
//! background is asked for), 16-bit samples reduced to their high byte, grey spread over three channels.

mod jpeg;
mod others;

use std::panic::{AssertUnwindSafe, catch_unwind};

use image::metadata::Orientation;

use crate::{Format, Frame, Limits, Reduction, Rgb, VisionError, orient};

/// What a file says of itself before it is decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// Told by content.
    pub format: Format,
    /// Upright width, pixels.
    pub width: u32,
    /// Upright height, pixels.
    pub height: u32,
}

/// Reads the header: format and upright size. Decodes nothing.
///
/// # Errors
/// Everything [`decode`] refuses that can be seen in the header.
pub fn probe(bytes: &[u8], limits: &Limits) -> Result<Header, VisionError> {
    let stored = stored_header(bytes, limits)?;
    let (width, height) = stored.upright_size();
    Ok(Header { format: stored.format, width, height })
}

/// Decodes `bytes` to an upright RGB frame; alpha is dropped.
///
/// # Errors
/// [`VisionError::NotAnImage`], [`VisionError::Unsupported`], [`VisionError::Truncated`], [`VisionError::Corrupt`],
/// and [`VisionError::TooManyPixels`] / [`VisionError::TooManyBytes`] before anything is decoded.
pub fn decode(bytes: &[u8], limits: &Limits) -> Result<Frame, VisionError> {
    decode_over(bytes, limits, None)
}

/// As [`decode`]; what is transparent shows the `background`, if there is one.
///
/// # Errors
/// As [`decode`].
pub fn decode_over(bytes: &[u8], limits: &Limits, background: Option<Rgb>) -> Result<Frame, VisionError> {
    decode_reduced(bytes, limits, background, Reduction::None)
}

/// As [`decode_over`], at less than the picture's own size: each pixel is the mean of those it stands for, and a last one that
/// is not whole counts. A JPEG is averaged before its colours are made, which is much less work; all others are decoded
/// first. The limits are for the picture's own size.
///
/// # Errors
/// As [`decode`].
pub fn decode_reduced(
    bytes: &[u8],
    limits: &Limits,
    background: Option<Rgb>,
    reduction: Reduction,
) -> Result<Frame, VisionError> {
    let stored = stored_header(bytes, limits)?;
    let frame = guarded(stored.format, || match stored.format {
        Format::Jpeg => jpeg::decode(bytes, reduction),
        format => reduction.paint(&others::decode(bytes, format, limits, background)?),
    })?;
    Ok(orient::upright(frame, stored.orientation))
}

/// The header as stored: size before the orientation is applied.
#[derive(Debug, Clone, Copy)]
struct Stored {
    format: Format,
    width: u32,
    height: u32,
    orientation: Orientation,
}

impl Stored {
    fn upright_size(&self) -> (u32, u32) {
        if orient::swaps_sides(self.orientation) {
            (self.height, self.width)
        } else {
            (self.width, self.height)
        }
    }
}

fn stored_header(bytes: &[u8], limits: &Limits) -> Result<Stored, VisionError> {
    limits.check_bytes(bytes.len())?;
    let format = Format::sniff(bytes)?;
    let stored = guarded(format, || match format {
        Format::Jpeg => jpeg::header(bytes),
        format => others::header(bytes, format, limits),
    })?;
    limits.check_pixels(stored.width, stored.height)?;
    if stored.width == 0 || stored.height == 0 {
        return Err(VisionError::Corrupt { format, detail: "it has no pixels".to_owned() });
    }
    Ok(stored)
}

/// Runs a decoder. Decoders meet hostile bytes: one that panics has met a corrupt file, not a fault of the caller.
fn guarded<T>(format: Format, work: impl FnOnce() -> Result<T, VisionError>) -> Result<T, VisionError> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| {
        Err(VisionError::Corrupt { format, detail: "the decoder could not make sense of it".to_owned() })
    })
}
