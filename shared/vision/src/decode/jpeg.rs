//! JPEG, by zune-jpeg. Small damage inside the data is tolerated as browsers and OpenCV do; a file that ends before its
//! end-of-image marker is refused, because what is missing would be made up as grey.

use image::metadata::Orientation;
use zune_core::bytestream::ZCursor;
use zune_core::colorspace::ColorSpace;
use zune_core::options::DecoderOptions;
use zune_jpeg::JpegDecoder;
use zune_jpeg::errors::DecodeErrors;

use super::Stored;
use crate::{Format, Frame, Reduction, VisionError};

/// A decoder that writes RGB and leaves the size limit to us.
fn decoder(bytes: &[u8]) -> JpegDecoder<ZCursor<&[u8]>> {
    let options = DecoderOptions::default()
        .set_strict_mode(false)
        .set_max_width(usize::from(u16::MAX))
        .set_max_height(usize::from(u16::MAX))
        .jpeg_set_out_colorspace(ColorSpace::RGB);
    JpegDecoder::new_with_options(ZCursor::new(bytes), options)
}

pub(super) fn header(bytes: &[u8]) -> Result<Stored, VisionError> {
    let mut decoder = decoder(bytes);
    decoder.decode_headers().map_err(|error| refusal(bytes, &error))?;
    let (width, height) = decoder.dimensions().ok_or(VisionError::Truncated { format: Format::Jpeg })?;
    let orientation = decoder.exif().and_then(|chunk| Orientation::from_exif_chunk(chunk));
    Ok(Stored {
        format: Format::Jpeg,
        width: width as u32,
        height: height as u32,
        orientation: orientation.unwrap_or(Orientation::NoTransforms),
    })
}

pub(super) fn decode(bytes: &[u8], reduction: Reduction) -> Result<Frame, VisionError> {
    if !reaches_its_end(bytes) {
        return Err(VisionError::Truncated { format: Format::Jpeg });
    }
    let mut decoder = decoder(bytes);
    let pixels = decoder.set_reduction(reduction.factor() as usize).and_then(|()| decoder.decode());
    let pixels = pixels.map_err(|error| refusal(bytes, &error))?;
    let (width, height) = decoder.reduced_dimensions().unwrap_or_default();
    Frame::new(width as u32, height as u32, pixels).map_err(|_| VisionError::Unsupported {
        what: "a JPEG whose channels are neither grey, RGB nor CMYK".to_owned(),
    })
}

/// Whether the end-of-image marker stands where the marker structure (ITU-T T.81, annex B) leads to it. Thumbnails
/// inside segments are skipped, whatever follows the marker is ignored.
fn reaches_its_end(bytes: &[u8]) -> bool {
    let mut at = 2; // after the start-of-image marker
    while let Some(&[first, code]) = bytes.get(at..at + 2) {
        match (first, code) {
            (0xff, 0xd9) => return true,
            // Fill bytes, stuffed zeros, restart markers, stray start-of-image: nothing follows them.
            (0xff, 0xff) => at += 1,
            (0xff, 0x00 | 0x01 | 0xd0..=0xd8) => at += 2,
            (0xff, _) => {
                let Some(&[high, low]) = bytes.get(at + 2..at + 4) else { return false };
                at += 2 + usize::from(u16::from_be_bytes([high, low])).max(2);
            }
            // Entropy-coded data, or padding between segments: on to the next marker.
            _ => match memchr::memchr(0xff, &bytes[at..]) {
                Some(distance) => at += distance,
                None => return false,
            },
        }
    }
    false
}

fn refusal(bytes: &[u8], error: &DecodeErrors) -> VisionError {
    match error {
        DecodeErrors::Unsupported(what) => VisionError::Unsupported { what: format!("a JPEG with {what:?}") },
        _ if !reaches_its_end(bytes) => VisionError::Truncated { format: Format::Jpeg },
        other => VisionError::Corrupt { format: Format::Jpeg, detail: other.to_string() },
    }
}
