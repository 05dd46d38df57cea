//! Pictures that blocks make: encoded, stored, and described by an image value whose lineage leads to the root.

use std::sync::Arc;

use bytes::Bytes;
use futures::FutureExt;
use millrace_contracts::values::{ImageValue, Lineage};
use millrace_contracts::{BlobId, ErrorKind, JobError};
use millrace_vision::{Encoding, Format, Frame, Reduction, encode};

use crate::cpu::Caller;
use crate::error::{of_blobs, of_vision};
use crate::frames::Wanted;
use crate::job::{Clock, JobContext, Stage, panicked};
use crate::role::Shared;

/// A picture to store, and where it comes from.
pub(crate) struct Made {
    pub(crate) frame: Frame,
    pub(crate) encoding: Encoding,
    /// The map to the root; none for a picture that is part of no other, and so a root itself.
    pub(crate) lineage: Option<Lineage>,
    /// The detection it was cut out for.
    pub(crate) parent_id: Option<String>,
}

impl Made {
    /// A picture cut or scaled from `source`, kept without loss so that what is made of it does not depend on whether it
    /// was decoded again in between.
    pub(crate) fn derived(source: &ImageValue, frame: Frame, to_parent: [f64; 6]) -> Self {
        let lineage = Some(source.lineage.derive(to_parent));
        Self { frame, encoding: Encoding::Png, lineage, parent_id: source.parent_id.clone() }
    }

    /// A picture of the same geometry as `source`, for further work: kept without loss.
    pub(crate) fn in_place(source: &ImageValue, frame: Frame) -> Self {
        let lineage = Some(source.lineage);
        Self { frame, encoding: Encoding::Png, lineage, parent_id: source.parent_id.clone() }
    }

    /// A picture of the same geometry as `source`, for people: a photograph stays one, and a picture that came without
    /// loss goes without loss, as does one that a photograph's format has no room for.
    pub(crate) fn view(source: &ImageValue, frame: Frame) -> Self {
        let is_photo = source.format == Format::Jpeg.as_str() && Encoding::VIEW.holds(&frame);
        let encoding = if is_photo { Encoding::VIEW } else { Encoding::Png };
        Self { encoding, ..Self::in_place(source, frame) }
    }

    /// A picture of its own.
    pub(crate) fn root(frame: Frame, encoding: Encoding) -> Self {
        Self { frame, encoding, lineage: None, parent_id: None }
    }
}

/// The part of its size that a picture is decoded at for somebody who scales it to `scaled` pixels, where that was asked for. Only
/// JPEGs gain by it, and only theirs are never at hand already: pictures that are passed on are kept without loss.
pub(crate) fn reduction(image: &ImageValue, asked: bool, scaled: (u32, u32)) -> Reduction {
    if asked && image.format == Format::Jpeg.as_str() {
        Reduction::between((image.width, image.height), scaled)
    } else {
        Reduction::None
    }
}

/// The pixels of the image on a port.
pub(crate) async fn pixels(context: &JobContext, port: &str, image: &ImageValue) -> Result<Frame, JobError> {
    let frame = context.frame(image.blob).await;
    frame.map_err(|error| error.at(format!("/inputs/{port}")))
}

/// Refuses a picture that was decoded at less than its size and is not the part of it that its value lets expect: what is found
/// on it could not be told where it is.
pub(crate) fn check_reduced(
    frame: &Frame,
    (image, reduction): (&ImageValue, Reduction),
) -> Result<(), JobError> {
    let expected = (reduction.of(image.width), reduction.of(image.height));
    if reduction != Reduction::None && (frame.width(), frame.height()) != expected {
        let (width, height) = (image.width, image.height);
        let message = format!("the picture is not of {width} x {height} pixels, as its value says");
        return Err(JobError::new(ErrorKind::InvalidInput, message));
    }
    Ok(())
}

/// The pixels of the image on a port at a part of its size, and the size of all of it: of a reduced picture that of its value.
pub(crate) async fn reduced_pixels(
    context: &JobContext,
    port: &str,
    (image, reduction): (&ImageValue, Reduction),
) -> Result<(Frame, (u32, u32)), JobError> {
    let at = |error: JobError| error.at(format!("/inputs/{port}"));
    let frame = context.frame(Wanted { blob: image.blob, reduction }).await.map_err(at)?;
    check_reduced(&frame, (image, reduction)).map_err(at)?;
    let size = match reduction {
        Reduction::None => (frame.width(), frame.height()),
        _ => (image.width, image.height),
    };
    Ok((frame, size))
}

/// Refuses to make a picture that nobody could decode again.
pub(crate) fn check_size(context: &JobContext, (width, height): (u32, u32)) -> Result<(), JobError> {
    let most = context.shared.frames.max_pixels();
    if u64::from(width) * u64::from(height) > most {
        let message = format!(
            "a picture of {width} x {height} pixels is more than the {most} allowed; ask for a smaller one"
        );
        return Err(JobError::new(ErrorKind::InvalidConfig, message).at("/config"));
    }
    Ok(())
}

/// Encodes on the CPU pool and stores: at once, or beside the job that reads the picture next.
pub(crate) async fn store(context: &JobContext, made: Made) -> Result<ImageValue, JobError> {
    let Made { frame, encoding, lineage, parent_id } = made;
    let (width, height) = (frame.width(), frame.height());
    let (shared, clock) = (Arc::clone(&context.shared), context.clock.clone());
    let developing = develop(shared, (context.caller(), clock), frame.clone(), encoding);
    // Without loss, or the next would see other pixels than are stored; part of another, or its name would be that of a root.
    let blob = if context.door.is_open() && encoding.is_lossless() && lineage.is_some() {
        context.door.leave(frame, developing.boxed())
    } else {
        developing.await?
    };
    let lineage = lineage.unwrap_or_else(|| Lineage::root(blob, width, height));
    Ok(ImageValue { blob, width, height, format: encoding.format().as_str().to_owned(), lineage, parent_id })
}

async fn develop(
    shared: Arc<Shared>,
    (caller, clock): (Caller, Clock),
    frame: Frame,
    encoding: Encoding,
) -> Result<BlobId, JobError> {
    let pixels = frame.clone();
    let encoded = shared.cpu.run(caller, move || encode(&pixels, encoding)).await;
    let (bytes, took) = encoded.map_err(|panic| panicked(&panic))?;
    clock.add(Stage::Postprocess, took);
    let bytes = Bytes::from(bytes.map_err(|error| of_vision(&error))?);
    let stored = clock.time(Stage::Upload, shared.blobs.put(bytes)).await;
    let blob = stored.map_err(|error| of_blobs(&error))?;
    if encoding.is_lossless() {
        shared.frames.keep(blob, frame);
    }
    Ok(blob)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_photograph_stays_one_where_its_format_has_room() {
        let view = |width: u32, format: &str| {
            let source = ImageValue::root(BlobId::of(b"source"), width, 1, format);
            Made::view(&source, Frame::filled(width, 1, [9; 3])).encoding
        };
        assert_eq!((view(9, "png"), view(9, "jpeg")), (Encoding::Png, Encoding::VIEW));
        assert_eq!((view(65_535, "jpeg"), view(65_536, "jpeg")), (Encoding::VIEW, Encoding::Png));
    }
}
