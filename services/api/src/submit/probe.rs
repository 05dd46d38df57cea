//! What a picture's header says: format and upright size, without decoding a pixel. Works on the first bytes of a file and
//! says when it needs more of them.

use std::io::{Cursor, ErrorKind};

use exif::{In, Tag};
use imagesize::{Compression, ImageError, ImageType};

/// A picture as its header describes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ImageHeader {
    /// `jpeg`, `png`, …
    pub(crate) format: &'static str,
    /// Upright width, pixels (EXIF orientation applied).
    pub(crate) width: u32,
    /// Upright height, pixels.
    pub(crate) height: u32,
}

impl ImageHeader {
    /// Width × height.
    pub(crate) fn pixels(&self) -> u64 {
        u64::from(self.width) * u64::from(self.height)
    }
}

/// What the bytes turned out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Probe {
    /// A picture that workers can decode.
    Image(ImageHeader),
    /// The header goes on beyond these bytes.
    NeedMore,
    /// Not a picture, or not one that workers can decode; the text says which.
    Refused(String),
}

/// The formats that workers decode, as error messages list them.
pub(crate) const FORMATS: &str = "JPEG, PNG, WebP, GIF, BMP and TIFF";

/// No header of any format is recognised by less.
const SHORTEST_BYTES: usize = 16;

/// Probes a file by its first bytes; `complete` when they are all of it.
pub(crate) fn probe(head: &[u8], complete: bool) -> Probe {
    if head.len() < SHORTEST_BYTES {
        return if complete { not_a_picture(head) } else { Probe::NeedMore };
    }
    let Ok(kind) = imagesize::image_type(head) else { return not_a_picture(head) };
    let Some(format) = format_name(kind) else {
        return Probe::Refused(format!("{} pictures are not supported; send {FORMATS}", spoken_name(kind)));
    };
    if !complete && orientation_comes_last(kind, head) {
        return Probe::NeedMore;
    }
    match kind.reader_size(&mut positioned(kind, head)) {
        Ok(size) => sized(format, kind, size, head),
        Err(ImageError::IoError(fault)) if fault.kind() == ErrorKind::UnexpectedEof && !complete => {
            Probe::NeedMore
        }
        Err(_) => Probe::Refused(format!("the header of this {format} file is damaged or cut off")),
    }
}

fn sized(format: &'static str, kind: ImageType, size: imagesize::ImageSize, head: &[u8]) -> Probe {
    let height = if kind == ImageType::Bmp { flipped(size.height) } else { size.height };
    let (Ok(width), Ok(height)) = (u32::try_from(size.width), u32::try_from(height)) else {
        return Probe::Refused(format!("the size in the header of this {format} file cannot be true"));
    };
    if width == 0 || height == 0 {
        return Probe::Refused(format!("this {format} file says that it is {width} × {height} pixels"));
    }
    let (width, height) = if lies_on_its_side(head) { (height, width) } else { (width, height) };
    Probe::Image(ImageHeader { format, width, height })
}

/// `imagesize` expects WebP's reader past the container's header; every other format seeks by itself.
fn positioned(kind: ImageType, head: &[u8]) -> Cursor<&[u8]> {
    let mut reader = Cursor::new(head);
    if kind == ImageType::Webp {
        reader.set_position(12);
    }
    reader
}

fn format_name(kind: ImageType) -> Option<&'static str> {
    Some(match kind {
        ImageType::Jpeg => "jpeg",
        ImageType::Png => "png",
        ImageType::Webp => "webp",
        ImageType::Gif => "gif",
        ImageType::Bmp => "bmp",
        ImageType::Tiff => "tiff",
        _ => return None,
    })
}

/// What people call a format that is not decoded.
fn spoken_name(kind: ImageType) -> String {
    match kind {
        ImageType::Heif(Compression::Av1) => "AVIF".to_owned(),
        ImageType::Heif(_) => "HEIC".to_owned(),
        other => format!("{other:?}"),
    }
}

/// A bitmap stored top-down has a negative height.
fn flipped(height: usize) -> usize {
    let signed = u32::try_from(height).unwrap_or(0).cast_signed();
    signed.unsigned_abs() as usize
}

/// An extended WebP with the EXIF flag keeps its EXIF chunk behind the picture.
fn orientation_comes_last(kind: ImageType, head: &[u8]) -> bool {
    const EXIF_FLAG: u8 = 0x08;
    kind == ImageType::Webp
        && head.get(12..16) == Some(b"VP8X")
        && head.get(20).is_some_and(|flags| flags & EXIF_FLAG != 0)
}

/// EXIF orientations 5 to 8 turn the picture by a quarter.
fn lies_on_its_side(head: &[u8]) -> bool {
    let Ok(exif) = exif::Reader::new().read_from_container(&mut Cursor::new(head)) else { return false };
    let field = exif.get_field(Tag::Orientation, In::PRIMARY);
    field.and_then(|field| field.value.get_uint(0)).is_some_and(|value| (5..=8).contains(&value))
}

fn not_a_picture(head: &[u8]) -> Probe {
    let text = if head.is_empty() {
        "the file is empty".to_owned()
    } else if head.iter().take(64).all(|&byte| byte.is_ascii_graphic() || byte.is_ascii_whitespace()) {
        format!("this is text, not a picture; send {FORMATS}")
    } else {
        format!("this is not a picture that we know; send {FORMATS}")
    };
    Probe::Refused(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn png(width: u32, height: u32) -> Vec<u8> {
        let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR".to_vec();
        bytes.extend(width.to_be_bytes());
        bytes.extend(height.to_be_bytes());
        bytes.extend([8, 2, 0, 0, 0]);
        bytes
    }

    /// A JPEG's head with an EXIF segment that holds only the orientation.
    fn jpeg(width: u16, height: u16, orientation: u16) -> Vec<u8> {
        let mut tiff = b"Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01".to_vec();
        tiff.extend(orientation.to_be_bytes());
        tiff.extend([0; 6]);
        let mut bytes = b"\xff\xd8\xff\xe1".to_vec();
        bytes.extend((tiff.len() as u16 + 2).to_be_bytes());
        bytes.extend(tiff);
        bytes.extend(b"\xff\xc0\0\x11\x08");
        bytes.extend(height.to_be_bytes());
        bytes.extend(width.to_be_bytes());
        bytes.extend([3, 1, 0x22, 0, 2, 0x11, 1, 3, 0x11, 1]);
        bytes
    }

    fn image(probe: &Probe) -> (&'static str, u32, u32) {
        match probe {
            Probe::Image(header) => (header.format, header.width, header.height),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_header_is_enough_even_of_a_bomb() {
        assert_eq!(image(&probe(&png(20_000, 20_000), false)), ("png", 20_000, 20_000));
    }

    #[test]
    fn orientation_makes_the_size_upright() {
        assert_eq!(image(&probe(&jpeg(640, 480, 1), true)), ("jpeg", 640, 480));
        assert_eq!(image(&probe(&jpeg(640, 480, 3), true)), ("jpeg", 640, 480));
        assert_eq!(image(&probe(&jpeg(640, 480, 6), true)), ("jpeg", 480, 640));
    }

    #[test]
    fn a_cut_header_asks_for_more_and_is_refused_when_there_is_none() {
        let bytes = jpeg(640, 480, 1);
        assert_eq!(probe(&bytes[..30], false), Probe::NeedMore);
        assert!(matches!(probe(&bytes[..30], true), Probe::Refused(_)));
        assert_eq!(probe(b"II", false), Probe::NeedMore);
    }

    #[test]
    fn what_is_no_picture_is_called_so() {
        for bytes in [
            &b""[..],
            b"II",
            b"hello, I am not a picture at all",
            &[0u8; 64],
            b"\xff\xd8\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
        ] {
            assert!(matches!(probe(bytes, true), Probe::Refused(_)), "{bytes:?}");
        }
    }

    #[test]
    fn formats_that_are_not_decoded_are_named() {
        let Probe::Refused(text) = probe(b"\0\0\0\x1cftypavif\0\0\0\0mif1miafMA1B", true) else { panic!() };
        assert_eq!(text, format!("AVIF pictures are not supported; send {FORMATS}"));
        let Probe::Refused(text) = probe(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", true) else { panic!() };
        assert!(text.starts_with("HEIC pictures"), "{text}");
    }

    #[test]
    fn a_bitmap_may_stand_on_its_head() {
        let mut bytes = b"BM".to_vec();
        bytes.extend([0; 16]);
        bytes.extend(4i32.to_le_bytes());
        bytes.extend((-3i32).to_le_bytes());
        bytes.extend([0; 8]);
        assert_eq!(image(&probe(&bytes, true)), ("bmp", 4, 3));
    }

    #[test]
    fn no_bytes_make_it_panic() {
        let seeds =
            [png(4, 4), jpeg(4, 4, 6), b"RIFF\0\0\0\0WEBPVP8X\x0a\0\0\0\x08\0\0\0\0\0\0\0\0\0".to_vec()];
        for seed in seeds {
            for cut in 0..seed.len() {
                probe(&seed[..cut], true);
                let mut broken = seed.clone();
                broken[cut] ^= 0xff;
                probe(&broken, true);
            }
        }
    }
}
