//! Why pixels could not be had or made, with the kind each refusal has in the public contract.

use millrace_contracts::ErrorKind;

use crate::Format;

/// A refusal. The texts are made for the person who sent the picture.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VisionError {
    /// The bytes are no picture at all.
    #[error("not an image: the data {found}; send a JPEG, PNG, WebP, GIF, TIFF or BMP file")]
    NotAnImage {
        /// What they look like instead.
        found: String,
    },
    /// A picture in a form that is not decoded.
    #[error("unsupported image: {what}; convert it to an 8-bit JPEG or PNG")]
    Unsupported {
        /// The form.
        what: String,
    },
    /// The file ends before the picture does.
    #[error("truncated {format} image: the file ends before the picture does; send the whole file")]
    Truncated {
        /// What the file began as.
        format: Format,
    },
    /// The file breaks its format's rules.
    #[error("corrupt {format} image: {detail}")]
    Corrupt {
        /// What the file began as.
        format: Format,
        /// What the decoder said.
        detail: String,
    },
    /// More pixels than may be decoded.
    #[error(
        "image too large: {width} x {height} is more than {max_pixels} pixels; scale it down or raise max_pixels"
    )]
    TooManyPixels {
        /// Pixels across, as stored.
        width: u32,
        /// Pixels down, as stored.
        height: u32,
        /// The limit.
        max_pixels: u64,
    },
    /// More bytes than may be looked at.
    #[error("image file too large: {bytes} bytes, the limit is {max_bytes}")]
    TooManyBytes {
        /// The file's size.
        bytes: u64,
        /// The limit.
        max_bytes: u64,
    },
    /// The operation needs at least one pixel.
    #[error("cannot {action} an image of {width} x {height} pixels")]
    Empty {
        /// What was asked for.
        action: &'static str,
        /// Pixels across.
        width: u32,
        /// Pixels down.
        height: u32,
    },
    /// The picture, scaled, is larger than the canvas it should stand on.
    #[error(
        "the image, scaled to {width} x {height} pixels, does not fit on the canvas of {} x {} the model takes",
        canvas.0, canvas.1
    )]
    DoesNotFit {
        /// Pixels across, scaled.
        width: u32,
        /// Pixels down, scaled.
        height: u32,
        /// Width and height of the canvas.
        canvas: (u32, u32),
    },
    /// The picture, scaled as the model wants it, has more pixels than may be made.
    #[error(
        "the image would have to be scaled to {width} x {height} pixels for the model, {max_pixels} pixels are allowed; crop it first"
    )]
    StretchedTooFar {
        /// Pixels across, scaled.
        width: u32,
        /// Pixels down, scaled.
        height: u32,
        /// The limit.
        max_pixels: u64,
    },
    /// Width, height and number of samples contradict each other.
    #[error("{samples} samples do not make a frame of {width} x {height} RGB pixels")]
    WrongSize {
        /// Pixels across.
        width: u32,
        /// Pixels down.
        height: u32,
        /// Bytes given.
        samples: usize,
    },
    /// An encoder gave up.
    #[error("the image could not be encoded as {format}: {detail}")]
    Encode {
        /// The format asked for.
        format: Format,
        /// What the encoder said.
        detail: String,
    },
}

impl VisionError {
    /// The kind in the public contract: what is wrong with the picture is the sender's, what is wrong with the
    /// making of one is ours.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::NotAnImage { .. }
            | Self::Truncated { .. }
            | Self::Corrupt { .. }
            | Self::TooManyPixels { .. }
            | Self::TooManyBytes { .. }
            | Self::Empty { .. }
            | Self::StretchedTooFar { .. }
            | Self::DoesNotFit { .. } => ErrorKind::InvalidInput,
            Self::Unsupported { .. } => ErrorKind::Unsupported,
            Self::WrongSize { .. } | Self::Encode { .. } => ErrorKind::Internal,
        }
    }
}
