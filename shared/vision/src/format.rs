//! File formats, told by content alone: names and content types lie.

use std::fmt;

use crate::VisionError;

/// A file format that is decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// JPEG, baseline or progressive.
    Jpeg,
    /// PNG; of an animation, the default picture.
    Png,
    /// WebP, lossy or lossless; of an animation, the first picture.
    WebP,
    /// GIF; of an animation, the first picture.
    Gif,
    /// TIFF; of several pages, the first.
    Tiff,
    /// Windows bitmap.
    Bmp,
}

impl Format {
    /// The name in image values: `jpeg`, `png`, …
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Jpeg => "jpeg",
            Self::Png => "png",
            Self::WebP => "webp",
            Self::Gif => "gif",
            Self::Tiff => "tiff",
            Self::Bmp => "bmp",
        }
    }

    /// The format that `bytes` begin as.
    ///
    /// # Errors
    /// [`VisionError::NotAnImage`], saying what they look like; [`VisionError::Unsupported`] for picture formats
    /// that are known and not decoded.
    pub fn sniff(bytes: &[u8]) -> Result<Self, VisionError> {
        let starts = |magic: &[u8]| bytes.starts_with(magic);
        if starts(b"\xff\xd8\xff") {
            Ok(Self::Jpeg)
        } else if starts(b"\x89PNG\r\n\x1a\n") {
            Ok(Self::Png)
        } else if starts(b"RIFF") && bytes.get(8..12) == Some(b"WEBP") {
            Ok(Self::WebP)
        } else if starts(b"GIF87a") || starts(b"GIF89a") {
            Ok(Self::Gif)
        } else if starts(b"II*\0") || starts(b"MM\0*") {
            Ok(Self::Tiff)
        } else if starts(b"BM") && bytes.len() >= 26 {
            Ok(Self::Bmp)
        } else {
            Err(what_else(bytes))
        }
    }
}

/// What bytes that are no picture look like, in words that help to find the mistake.
fn what_else(bytes: &[u8]) -> VisionError {
    if bytes.get(4..8) == Some(b"ftyp") {
        return VisionError::Unsupported { what: of_brands(&bytes[8..]).to_owned() };
    }
    let known: [(&[u8], &str); 5] = [
        (b"%PDF", "is a PDF document"),
        (b"PK\x03\x04", "is a ZIP archive"),
        (b"<svg", "is an SVG drawing"),
        (b"<", "is markup (HTML or XML)"),
        (b"{", "is JSON text"),
    ];
    let head = &bytes[..bytes.len().min(64)];
    let found = if bytes.is_empty() {
        "is empty".to_owned()
    } else if let Some((_, words)) =
        known.iter().find(|(magic, _)| head.trim_ascii_start().starts_with(magic))
    {
        (*words).to_owned()
    } else if head.iter().all(|byte| byte.is_ascii_graphic() || byte.is_ascii_whitespace()) {
        "is text".to_owned()
    } else {
        let first: Vec<String> = head.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
        format!("begins with {}", first.join(" "))
    };
    VisionError::NotAnImage { found }
}

/// A container by its brands (ISO/IEC 14496-12, 4.3): its own, a version, and those it is compatible with.
///
/// None is decoded. HEIC has no decoder in Rust; the ones for AVIF without C (rav1d and its forks under a permissive licence)
/// are entered through `extern "C"`, where a panic over a damaged file ends the process, and eight bytes make them panic.
fn of_brands(brands: &[u8]) -> &'static str {
    let names =
        |known: &[&[u8; 4]]| brands.as_chunks::<4>().0.iter().take(8).any(|brand| known.contains(&brand));
    if names(&[b"avif", b"avis"]) {
        "AVIF"
    } else if names(&[b"heic", b"heix", b"mif1"]) {
        "HEIC"
    } else {
        "an MP4-like container"
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Jpeg => "JPEG",
            Self::Png => "PNG",
            Self::WebP => "WebP",
            Self::Gif => "GIF",
            Self::Tiff => "TIFF",
            Self::Bmp => "BMP",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_picture_is_named() {
        let text = Format::sniff(b"hello, this is a file called photo.jpg\n").unwrap_err();
        assert!(text.to_string().contains("is text"), "{text}");
        assert!(Format::sniff(b"").unwrap_err().to_string().contains("is empty"));
        assert!(Format::sniff(b"%PDF-1.7").unwrap_err().to_string().contains("PDF"));
        let heic = Format::sniff(b"\0\0\0\x18ftypheic").unwrap_err();
        assert_eq!(heic, VisionError::Unsupported { what: "HEIC".into() });
        for avif in [&b"\0\0\0\x1cftypavif\0\0\0\0mif1miaf"[..], b"\0\0\0\x1cftypmif1\0\0\0\0miafavif"] {
            let text = Format::sniff(avif).unwrap_err().to_string();
            assert!(text.contains("AVIF") && text.contains("convert it to an 8-bit JPEG or PNG"), "{text}");
        }
    }
}
