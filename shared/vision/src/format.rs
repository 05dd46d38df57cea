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
        let what = match bytes.get(8..12) {
            Some(b"avif" | b"avis") => "AVIF",
            Some(b"heic" | b"heix" | b"mif1") => "HEIC",
            _ => "an MP4-like container",
        };
        return VisionError::Unsupported { what: what.to_owned() };
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
    }
}
