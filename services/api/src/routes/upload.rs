//! `POST /blobs`: bytes in, their digest out. Raw, or as many files of a form; stored as they arrive. The files of models have a limit
//! of their own, and are for those who may register one.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Multipart, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use futures::Stream;
use millrace_blobs::BlobsError;
use millrace_contracts::{BlobId, UnixMillis};
use millrace_store::BlobRecord;
use serde::Serialize;
use tokio::sync::SemaphorePermit;
use utoipa::ToSchema;

use crate::auth::{Caller, Scope};
use crate::body::{self, BodyType};
use crate::form;
use crate::openapi::described::{Binary, FilesForm};
use crate::params::{self, Params};
use crate::problem::{Code, Problem};
use crate::sniff::content_type;
use crate::state::App;
use crate::submit::{ImageHeader, Probe, probe};

/// Leading bytes that a picture's size is read from; one that says it later is stored all the same.
const PROBED_BYTES: u64 = 64 * 1024;
/// Files of one form.
const MAX_FILES: usize = 1_000;
/// The parameter that says what the bytes are for, and the one thing that they may be for.
const PURPOSE: &str = "for";
const MODEL: &str = "model";

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
/// The same bytes are stored once. A file of a model to be registered may be larger than others: it is sent raw, with `for=model`.
#[utoipa::path(
    post, path = "/api/v1/blobs", operation_id = "upload_blob", tag = "blobs",
    params(("for" = Option<String>, Query, description = "`model` for a file of a model to be registered, raw: it may have `models.max_file` bytes (4 GiB), where others may have `api.max_body` and `blobs.max_blob` (64 MiB). It asks for the scope `admin`, as registering does.")),
    request_body(content((Binary = "application/octet-stream"), (FilesForm = "multipart/form-data"))),
    responses((status = 201, description = "Stored: one blob, or for a form its files.", body = Stored)),
)]
pub(crate) async fn upload(
    State(app): State<Arc<App>>,
    caller: Option<Extension<Caller>>,
    params: Params,
    request: Request,
) -> Result<Response, Problem> {
    let params = params.only(&[PURPOSE])?;
    let is_form = body::body_type(request.headers()) == BodyType::Multipart;
    match params.text(PURPOSE) {
        None if is_form => upload_form(&app, request).await,
        None => upload_raw(&app, request, (usual_limit(&app), body::file_too_large)).await,
        Some(MODEL) => {
            if let Some(Extension(caller)) = caller {
                caller.may(Scope::Admin)?;
            }
            if is_form {
                return Err(body::unsupported("application/octet-stream, one file and nothing around it"));
            }
            let _turn = turn(&app, request.headers())?;
            upload_raw(&app, request, (app.max_model.bytes(), body::model_too_large)).await
        }
        Some(other) => Err(params::wrong(PURPOSE, other, "`model`, or left out")),
    }
}

/// What a file may have that is for nothing in particular, bytes.
fn usual_limit(app: &App) -> u64 {
    app.settings.max_body.bytes().min(app.blobs.max_blob_bytes())
}

/// What the headers say of the body's length.
fn length_of(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok())
}

/// Whether a request to this address sends a model's file, and so gets the time for it.
pub(crate) fn is_for_model(uri: &Uri) -> bool {
    let is_said = |pair: &str| pair.split_once('=') == Some((PURPOSE, MODEL));
    uri.path() == "/api/v1/blobs" && uri.query().is_some_and(|query| query.split('&').any(is_said))
}

/// A place among the large uploads of models: what they store takes its space before it is of use to anybody. What is as small as
/// other uploads needs none.
fn turn<'a>(app: &'a App, headers: &HeaderMap) -> Result<Option<SemaphorePermit<'a>>, Problem> {
    if length_of(headers).is_some_and(|length| length <= usual_limit(app)) {
        return Ok(None);
    }
    app.model_uploads.try_acquire().map(Some).map_err(|_| {
        let detail = "as many large files of models as may be are being sent; send it again in a while";
        Problem::new(Code::Overloaded, detail)
    })
}

/// What a body may have, bytes, and the problem of one that has more.
type Limit = (u64, fn(u64) -> Problem);

async fn upload_raw(app: &App, request: Request, (limit, too_large): Limit) -> Result<Response, Problem> {
    body::not_encoded(request.headers())?;
    let length = length_of(request.headers());
    let mut chunks = request.into_body().into_data_stream();
    if length.is_some_and(|length| length > limit) {
        body::drain(&mut chunks).await;
        return Err(too_large(limit));
    }
    let answer = store(app, &mut chunks, (limit, too_large)).await;
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

/// Stores a body of no more than its limit, whatever was said of its length: often nothing.
async fn store(
    app: &App,
    chunks: impl Stream<Item = Result<Bytes, axum::Error>> + Send,
    (limit, too_large): Limit,
) -> Result<StoredBlob, Problem> {
    let id = app.blobs.put_stream_within(chunks, limit).await.map_err(|error| match error {
        BlobsError::TooLarge { limit, .. } => too_large(limit),
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
