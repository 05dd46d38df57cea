//! `POST /blobs`: bytes in, their digest out. Raw, or as many files of a form; stored as they arrive.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Multipart, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures::{Stream, StreamExt};
use millrace_blobs::BlobsError;
use millrace_contracts::{BlobId, UnixMillis};
use millrace_store::BlobRecord;
use serde::Serialize;
use utoipa::ToSchema;

use crate::body::{self, BodyType};
use crate::form;
use crate::openapi::described::{Binary, FilesForm};
use crate::params::Params;
use crate::problem::{Code, Problem};
use crate::sniff::content_type;
use crate::state::App;
use crate::submit::{ImageHeader, Probe, probe};

/// Leading bytes that a picture's size is read from; one that says it later is stored all the same.
const PROBED_BYTES: u64 = 64 * 1024;
/// Files of one form.
const MAX_FILES: usize = 1_000;

/// Bytes that were stored.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StoredBlob {
    blob: BlobId,
    bytes: u64,
    /// As the leading bytes tell.
    content_type: &'static str,
    /// Of a picture, pixels.
    width: Option<u32>,
    /// Of a picture, pixels.
    height: Option<u32>,
    url: String,
    /// The part's name, in a form.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// The file's name, in a form.
    #[serde(skip_serializing_if = "Option::is_none")]
    file_name: Option<String>,
}

/// The files of a form, in its order.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StoredBlobs {
    blobs: Vec<StoredBlob>,
}

/// What an upload is answered: one blob, or those of a form.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
enum Stored {
    One(StoredBlob),
    Form(StoredBlobs),
}

/// Store bytes, raw or as the files of a form
///
/// The same bytes are stored once.
#[utoipa::path(
    post, path = "/api/v1/blobs", operation_id = "upload_blob", tag = "blobs",
    request_body(content((Binary = "application/octet-stream"), (FilesForm = "multipart/form-data"))),
    responses((status = 201, description = "Stored: one blob, or for a form its files.", body = Stored)),
)]
pub(crate) async fn upload(
    State(app): State<Arc<App>>,
    params: Params,
    request: Request,
) -> Result<Response, Problem> {
    params.only(&[])?;
    if body::body_type(request.headers()) == BodyType::Multipart {
        return upload_form(&app, request).await;
    }
    body::not_encoded(request.headers())?;
    let limit = app.settings.max_body.bytes().min(app.blobs.max_blob_bytes());
    let length =
        request.headers().get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    let mut chunks = request.into_body().into_data_stream();
    if length.is_some_and(|length: u64| length > limit) {
        body::drain(&mut chunks).await;
        return Err(body::file_too_large(limit));
    }
    let answer = store(&app, &mut chunks, limit).await;
    if answer.is_err() {
        body::drain(&mut chunks).await;
    }
    let answer = answer?;
    let location = HeaderValue::try_from(answer.url.as_str()).map_err(Problem::internal)?;
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], Json(Stored::One(answer))).into_response())
}

async fn upload_form(app: &Arc<App>, request: Request) -> Result<Response, Problem> {
    let blobs = form::read(app, request, |parts| store_files(app, parts)).await?;
    Ok((StatusCode::CREATED, Json(Stored::Form(StoredBlobs { blobs }))).into_response())
}

async fn store_files(app: &App, mut multipart: Multipart) -> Result<Vec<StoredBlob>, Problem> {
    let mut answers = Vec::new();
    while let Some(field) = multipart.next_field().await.map_err(form::broken)? {
        if answers.len() == MAX_FILES {
            return Err(Problem::new(
                Code::InvalidRequest,
                format!("a form may have at most {MAX_FILES} files"),
            ));
        }
        let (name, file_name) = (field.name().map(str::to_owned), field.file_name().map(str::to_owned));
        let mut answer = stored(app, form::file(app, field).await?).await?;
        (answer.name, answer.file_name) = (name, file_name);
        answers.push(answer);
    }
    Ok(answers)
}

/// Why an upload ends before its end.
#[derive(Debug, thiserror::Error)]
enum Stopped {
    #[error("it is larger than a body may be")]
    TooLarge,
    #[error(transparent)]
    Broken(axum::Error),
}

/// Stores a body of at most `limit` bytes, whatever was said of its length: often nothing.
async fn store(
    app: &App,
    chunks: impl Stream<Item = Result<Bytes, axum::Error>> + Send,
    limit: u64,
) -> Result<StoredBlob, Problem> {
    let mut total = 0;
    let counted = chunks.map(move |chunk| {
        let chunk = chunk.map_err(Stopped::Broken)?;
        total += chunk.len() as u64;
        if total > limit { Err(Stopped::TooLarge) } else { Ok(chunk) }
    });
    let id = app.blobs.put_stream(counted).await.map_err(|error| match error {
        BlobsError::TooLarge { limit, .. } => body::file_too_large(limit),
        BlobsError::Upload(source) if matches!(source.downcast_ref(), Some(Stopped::TooLarge)) => {
            body::file_too_large(limit)
        }
        other => other.into(),
    })?;
    stored(app, id).await
}

/// What a blob that was just stored is answered with.
async fn stored(app: &App, id: BlobId) -> Result<StoredBlob, Problem> {
    let bytes = app.blobs.head(id).await?.unwrap_or(0);
    let head =
        if bytes == 0 { Bytes::new() } else { app.blobs.get_range(id, 0..bytes.min(PROBED_BYTES)).await? };
    let image = match probe(&head, bytes <= PROBED_BYTES) {
        Probe::Image(header) => Some(header),
        Probe::NeedMore | Probe::Refused(_) => None,
    };
    let kind = content_type(&head);
    note(app, id, (bytes, kind), image).await;
    Ok(StoredBlob {
        blob: id,
        bytes,
        content_type: kind,
        width: image.map(|image| image.width),
        height: image.map(|image| image.height),
        url: format!("/api/v1/blobs/{id}"),
        name: None,
        file_name: None,
    })
}

/// Best effort: the bytes are what counts, and they are stored.
async fn note(app: &App, id: BlobId, (size_bytes, kind): (u64, &str), image: Option<ImageHeader>) {
    if let Some(image) = image {
        app.headers.insert(id, image).await;
    }
    let record = BlobRecord {
        id,
        size_bytes,
        media_type: Some(kind.to_owned()),
        width: image.map(|image| image.width),
        height: image.map(|image| image.height),
        created_at: UnixMillis::now(),
    };
    if let Err(error) = app.store.blobs().put(&record).await {
        tracing::debug!(blob.id = %id, %error, "an upload was not recorded");
    }
}
