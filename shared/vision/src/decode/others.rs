//! PNG, WebP, GIF, TIFF and BMP, by the `image` crate.

use std::io::{Cursor, ErrorKind as IoErrorKind};

use image::error::ImageError;
use image::{ColorType, DynamicImage, ImageDecoder, ImageFormat, ImageReader};

use super::Stored;
use crate::{Format, Frame, Limits, Rgb, VisionError};

/// Beside the pixels, decoders need room for rows, palettes and colour profiles.
const WORKING_MEMORY_BYTES: u64 = 64 * 1024 * 1024;
/// The widest pixel a decoder may make: four channels of 16 bits.
const WIDEST_PIXEL_BYTES: u64 = 8;

fn decoder<'a>(
    bytes: &'a [u8],
    format: Format,
    limits: &Limits,
) -> Result<impl ImageDecoder + 'a, VisionError> {
    let format_id = match format {
        Format::Png => ImageFormat::Png,
        Format::WebP => ImageFormat::WebP,
        Format::Gif => ImageFormat::Gif,
        Format::Tiff => ImageFormat::Tiff,
        Format::Bmp => ImageFormat::Bmp,
        Format::Jpeg => ImageFormat::Jpeg,
    };
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format_id);
    let mut memory = image::Limits::no_limits();
    memory.max_alloc =
        Some(limits.max_pixels.saturating_mul(WIDEST_PIXEL_BYTES).saturating_add(WORKING_MEMORY_BYTES));
    reader.limits(memory);
    reader.into_decoder().map_err(|error| refusal(format, error))
}

pub(super) fn header(bytes: &[u8], format: Format, limits: &Limits) -> Result<Stored, VisionError> {
    let mut decoder = decoder(bytes, format, limits)?;
    let (width, height) = decoder.dimensions();
    let orientation = decoder.orientation().unwrap_or(image::metadata::Orientation::NoTransforms);
    Ok(Stored { format, width, height, orientation })
}

pub(super) fn decode(
    bytes: &[u8],
    format: Format,
    limits: &Limits,
    background: Option<Rgb>,
) -> Result<Frame, VisionError> {
    let decoder = decoder(bytes, format, limits)?;
    if matches!(decoder.color_type(), ColorType::Rgb32F | ColorType::Rgba32F) {
        return Err(VisionError::Unsupported { what: format!("a {format} with floating-point samples") });
    }
    let picture = DynamicImage::from_decoder(decoder).map_err(|error| refusal(format, error))?;
    let (width, height) = (picture.width(), picture.height());
    Frame::new(width, height, rgb(picture, background))
}

/// Three bytes per pixel: alpha dropped, or blended with the background; the high byte of 16 (libpng's
/// `png_set_strip_16`, as OpenCV asks for); grey three times.
fn rgb(picture: DynamicImage, background: Option<Rgb>) -> Vec<u8> {
    let high = |sample: u16| (sample >> 8) as u8;
    let shown = |rgb: Rgb, alpha: u8| background.map_or(rgb, |ground| over(rgb, alpha, ground));
    match picture {
        DynamicImage::ImageRgb8(image) => image.into_raw(),
        DynamicImage::ImageRgba8(image) => {
            image.pixels().flat_map(|p| shown([p[0], p[1], p[2]], p[3])).collect()
        }
        DynamicImage::ImageLuma8(image) => image.pixels().flat_map(|p| [p[0]; 3]).collect(),
        DynamicImage::ImageLumaA8(image) => image.pixels().flat_map(|p| shown([p[0]; 3], p[1])).collect(),
        DynamicImage::ImageLuma16(image) => image.pixels().flat_map(|p| [high(p[0]); 3]).collect(),
        DynamicImage::ImageLumaA16(image) => {
            image.pixels().flat_map(|p| shown([high(p[0]); 3], high(p[1]))).collect()
        }
        DynamicImage::ImageRgb16(image) => image.into_raw().into_iter().map(high).collect(),
        DynamicImage::ImageRgba16(image) => {
            image.pixels().flat_map(|p| shown([high(p[0]), high(p[1]), high(p[2])], high(p[3]))).collect()
        }
        other => other.into_rgb8().into_raw(),
    }
}

/// The colour over the ground with a weight of `alpha` in 255, rounded as Pillow's `paste` with a mask rounds.
fn over(colour: Rgb, alpha: u8, ground: Rgb) -> Rgb {
    let alpha = u16::from(alpha);
    let mixed =
        |at: usize| (u16::from(colour[at]) * alpha + u16::from(ground[at]) * (255 - alpha) + 127) / 255;
    [mixed(0) as u8, mixed(1) as u8, mixed(2) as u8]
}

fn refusal(format: Format, error: ImageError) -> VisionError {
    match error {
        ImageError::Unsupported(error) => VisionError::Unsupported { what: error.to_string() },
        ImageError::IoError(error) if error.kind() == IoErrorKind::UnexpectedEof => {
            VisionError::Truncated { format }
        }
        ImageError::Limits(error) => {
            VisionError::Corrupt { format, detail: format!("decoding it needs too much memory ({error})") }
        }
        other if ends_early(&other) => VisionError::Truncated { format },
        other => VisionError::Corrupt { format, detail: other.to_string() },
    }
}

/// Whether the end of the data is somewhere among the causes: each codec wraps it in its own way.
fn ends_early(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if error.downcast_ref::<std::io::Error>().is_some_and(|io| io.kind() == IoErrorKind::UnexpectedEof) {
            return true;
        }
        cause = error.source();
    }
    let text = error.to_string();
    ["unexpected end of file", "Unexpected end", "UnexpectedEof", "no more data"]
        .iter()
        .any(|words| text.contains(words))
}
