//! One picture of an input, from however it was named to an image value: stored, probed, and within its limits. What is
//! named by URL stays so: a worker fetches it.

use bytes::Bytes;
use millrace_blobs::BlobsError;
use millrace_blocks::inputs::image_input::Config;
use millrace_contracts::values::{ImageUrl, ImageValue};
use millrace_contracts::{BlobId, Fault};
use serde_json::Value;

use super::probe::{ImageHeader, Probe, probe};
use super::reference::{self, Reference};
use crate::problem::Problem;
use crate::state::App;

/// Bytes looked at first, then, then the whole file: most headers end within the first.
const LOOKS_BYTES: [u64; 2] = [64 * 1024, 1024 * 1024];
/// Base64 longer than this is decoded off the async threads, bytes.
const DECODED_INLINE_BYTES: usize = 256 * 1024;

/// Why a picture was not taken: the caller's mistake, or trouble of ours.
#[derive(Debug)]
pub(super) enum Refusal {
    /// The caller's mistake.
    Fault(Fault),
    /// Trouble of ours.
    Problem(Problem),
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

/// Which pictures an input takes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits<'a> {
    /// The input's own, for an `image_input`.
    pub(super) config: Option<&'a Config>,
    /// The server's.
    pub(super) max_pixels: u64,
}

/// A picture of an input, as far as it can be had here.
#[derive(Debug)]
pub(super) enum Resolved {
    /// It is stored.
    Image(Box<ImageValue>),
    /// A worker fetches it.
    Url(ImageUrl),
}

/// The picture that `value` at `pointer` names.
pub(super) async fn resolve(
    app: &App,
    value: Value,
    pointer: &str,
    limits: Limits<'_>,
) -> Result<Resolved, Refusal> {
    let (blob, header) = match reference::read(value, pointer)? {
        Reference::Blob(id) => (id, header_of_blob(app, id, pointer).await?),
        Reference::Base64(text) => store_base64(app, text, pointer, limits).await?,
        // Nobody here sees how large it is: who fetches it keeps to the same limit.
        Reference::Url(url) => {
            return Ok(Resolved::Url(ImageUrl { max_pixels: Some(limits.max_pixels), ..url }));
        }
    };
    check(header, pointer, limits)?;
    Ok(Resolved::Image(Box::new(ImageValue::root(blob, header.width, header.height, header.format))))
}

async fn store_base64(
    app: &App,
    text: String,
    pointer: &str,
    limits: Limits<'_>,
) -> Result<(BlobId, ImageHeader), Refusal> {
    let bytes = if text.len() <= DECODED_INLINE_BYTES {
        reference::decode(&text, pointer)?
    } else {
        let place = pointer.to_owned();
        let decoded = tokio::task::spawn_blocking(move || reference::decode(&text, &place)).await;
        decoded.expect("decoding does not panic")?
    };
    // Before it is stored: what is refused leaves nothing behind.
    let header = match probe(&bytes, true) {
        Probe::Image(header) => header,
        Probe::Refused(message) => return Err(unsupported(pointer, message)),
        Probe::NeedMore => return Err(unsupported(pointer, "the file ends within its header".to_owned())),
    };
    check(header, pointer, limits)?;
    let id = app.blobs.put(Bytes::from(bytes)).await.map_err(|error| about_blob(error, pointer))?;
    app.headers.insert(id, header).await;
    Ok((id, header))
}

async fn header_of_blob(app: &App, id: BlobId, pointer: &str) -> Result<ImageHeader, Refusal> {
    // Also where the header is known: the run is about to refer to the picture.
    let size = app.blobs.touch(id).await.map_err(|error| about_blob(error, pointer))?;
    let size = size.ok_or_else(|| about_blob(BlobsError::NotFound(id), pointer))?;
    if let Some(header) = app.headers.get(&id).await {
        return Ok(header);
    }
    for look in LOOKS_BYTES.into_iter().chain([size]) {
        let complete = look >= size;
        let head = if size == 0 {
            Bytes::new()
        } else {
            app.blobs.get_range(id, 0..look.min(size)).await.map_err(|error| about_blob(error, pointer))?
        };
        match probe(&head, complete) {
            Probe::Image(header) => {
                app.headers.insert(id, header).await;
                return Ok(header);
            }
            Probe::Refused(message) => return Err(unsupported(pointer, message)),
            Probe::NeedMore if complete => break,
            Probe::NeedMore => {}
        }
    }
    Err(unsupported(pointer, "the file ends within its header".to_owned()))
}

fn check(header: ImageHeader, pointer: &str, limits: Limits<'_>) -> Result<(), Fault> {
    let own = limits.config.map_or(u64::MAX, |config| config.max_pixels);
    let most = own.min(limits.max_pixels);
    if header.pixels() > most {
        let ImageHeader { width, height, .. } = header;
        let message =
            format!("the picture has {width} × {height} pixels, and at most {most} in all are taken here");
        let hint = if own <= limits.max_pixels {
            "make it smaller, or raise `max_pixels` of the input node"
        } else {
            "make it smaller; the limit is the server's (`api.max_pixels`)"
        };
        return Err(Fault::new("IMAGE_TOO_LARGE", pointer, message).hint(hint));
    }
    let wanted = limits.config.and_then(|config| config.format).map(|format| format.as_str());
    if let Some(wanted) = wanted.filter(|wanted| *wanted != header.format) {
        let message = format!("this is a {} file, and the input takes {wanted} only", header.format);
        return Err(Fault::new("UNSUPPORTED_IMAGE", pointer, message).hint(format!("send it as {wanted}")));
    }
    Ok(())
}

fn unsupported(pointer: &str, message: String) -> Refusal {
    Fault::new("UNSUPPORTED_IMAGE", pointer, message)
        .hint("check that the file is the picture you mean")
        .into()
}

fn about_blob(error: BlobsError, pointer: &str) -> Refusal {
    match error {
        BlobsError::NotFound(id) => Fault::new("BLOB_NOT_FOUND", pointer, format!("there is no blob {id}"))
            .hint("upload the picture to /api/v1/blobs first, and name it by the `blob` of the answer")
            .into(),
        other => Refusal::Problem(other.into()),
    }
}
