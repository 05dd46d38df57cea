//! Pictures that blocks make: encoded, stored, and described by an image value whose lineage leads to the root.

use bytes::Bytes;
use millrace_contracts::values::{ImageValue, Lineage};
use millrace_contracts::{BlobId, JobError};
use millrace_vision::{Encoding, Frame, encode};

use crate::error::{of_blobs, of_vision};
use crate::job::{JobContext, Stage};

/// A picture to store, and where it comes from.
pub(crate) struct Made {
    pub(crate) frame: Frame,
    pub(crate) encoding: Encoding,
    /// The map to the root.
    pub(crate) lineage: Lineage,
    /// The detection it was cut out for.
    pub(crate) parent_id: Option<String>,
}

impl Made {
    /// A picture cut or scaled from `source`, kept without loss so that what is made of it does not depend on whether it
    /// was decoded again in between.
    pub(crate) fn derived(source: &ImageValue, frame: Frame, to_parent: [f64; 6]) -> Self {
        let lineage = source.lineage.derive(to_parent);
        Self { frame, encoding: Encoding::Png, lineage, parent_id: source.parent_id.clone() }
    }
}

/// Encodes on the CPU pool and stores.
pub(crate) async fn store(context: &JobContext, made: Made) -> Result<ImageValue, JobError> {
    let Made { frame, encoding, lineage, parent_id } = made;
    let pixels = frame.clone();
    let bytes = context.cpu(Stage::Postprocess, move || encode(&pixels, encoding)).await?;
    let bytes = Bytes::from(bytes.map_err(|error| of_vision(&error))?);
    let stored = context.clock.time(Stage::Upload, context.shared.blobs.put(bytes)).await;
    let blob: BlobId = stored.map_err(|error| of_blobs(&error))?;
    let (width, height) = (frame.width(), frame.height());
    if encoding.is_lossless() {
        context.shared.frames.keep(blob, frame).await;
    }
    Ok(ImageValue { blob, width, height, format: encoding.format().as_str().to_owned(), lineage, parent_id })
}
