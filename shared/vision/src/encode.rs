//! Frames back to files.

mod jpeg;

use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, ImageEncoder};

use crate::{Format, Frame, VisionError};

/// How a frame is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// JPEG of this quality, 1 to 100, its colour at half the resolution (4:2:0). Small, and not the same pixels when
    /// read back.
    Jpeg(u8),
    /// PNG, lossless, compressed for speed rather than for size.
    Png,
}

impl Encoding {
    /// JPEG as it is shown to people: quality 90.
    pub const VIEW: Self = Self::Jpeg(90);

    /// The file format it makes.
    #[must_use]
    pub fn format(self) -> Format {
        match self {
            Self::Jpeg(_) => Format::Jpeg,
            Self::Png => Format::Png,
        }
    }

    /// Whether the format has room for the frame.
    #[must_use]
    pub fn holds(self, frame: &Frame) -> bool {
        match self {
            Self::Jpeg(_) => frame.width().max(frame.height()) <= jpeg::MOST,
            Self::Png => true,
        }
    }

    /// Whether what is read back equals what was written.
    #[must_use]
    pub fn is_lossless(self) -> bool {
        matches!(self, Self::Png)
    }
}

/// The frame as a file.
///
/// # Errors
/// [`VisionError::Empty`] for a frame without pixels, [`VisionError::Encode`] when the format cannot hold it (a JPEG
/// side has at most 65,535 pixels).
pub fn encode(frame: &Frame, encoding: Encoding) -> Result<Vec<u8>, VisionError> {
    let (width, height) = (frame.width(), frame.height());
    if frame.is_empty() {
        return Err(VisionError::Empty { action: "encode", width, height });
    }
    let written = match encoding {
        Encoding::Jpeg(quality) => jpeg::write(frame, quality.clamp(1, 100)),
        Encoding::Png => png(frame),
    };
    written.map_err(|detail| VisionError::Encode { format: encoding.format(), detail })
}

fn png(frame: &Frame) -> Result<Vec<u8>, String> {
    let mut file = Vec::new();
    PngEncoder::new_with_quality(&mut file, CompressionType::Fast, FilterType::Up)
        .write_image(frame.pixels(), frame.width(), frame.height(), ExtendedColorType::Rgb8)
        .map_err(|error| error.to_string())?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Limits, decode};

    #[test]
    fn png_gives_back_the_same_pixels_and_jpeg_nearly() {
        let pixels = (0..5 * 7 * 3u32).map(|n| (n * 13 % 251) as u8).collect();
        let frame = Frame::new(5, 7, pixels).unwrap();
        let png = encode(&frame, Encoding::Png).unwrap();
        assert_eq!(decode(&png, &Limits::default()).unwrap(), frame);
        let jpeg = encode(&Frame::filled(1, 1, [10, 200, 30]), Encoding::VIEW).unwrap();
        let [red, green, blue] = decode(&jpeg, &Limits::default()).unwrap().pixel(0, 0).unwrap();
        assert!(red.abs_diff(10) < 6 && green.abs_diff(200) < 6 && blue.abs_diff(30) < 6);
        assert!(matches!(
            encode(&Frame::filled(0, 3, [0; 3]), Encoding::Png),
            Err(VisionError::Empty { .. })
        ));
    }
}
