//! Multipart bodies: files go to the blob store as they arrive, and text is held within the allowance for bodies.

use std::sync::{Arc, Mutex, PoisonError};

use axum::body::{Body, BodyDataStream, Bytes};
use axum::extract::multipart::{Field, Multipart, MultipartError};
use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use bytes::BytesMut;
use futures::{Stream, StreamExt, stream};
use millrace_blobs::BlobsError;
use millrace_contracts::BlobId;

use crate::body::{self, Memory};
use crate::problem::{Code, Problem};
use crate::state::App;

/// What `reader` makes of the parts of a request's body. Of a body that it refuses the rest is read as well, and thrown away: its
/// sender is told of the refusal once everything is sent, or not at all.
pub(crate) async fn read<T, F>(
    app: &Arc<App>,
    request: Request,
    reader: impl FnOnce(Multipart) -> F,
) -> Result<T, Problem>
where
    F: Future<Output = Result<T, Problem>>,
{
    body::not_encoded(request.headers())?;
    let (parts, body) = request.into_parts();
    let body = Arc::new(Mutex::new(body.into_data_stream()));
    let request = Request::from_parts(parts, Body::from_stream(chunks(body.clone())));
    let answer = match Multipart::from_request(request, app).await {
        Ok(multipart) => reader(multipart).await,
        Err(rejection) => {
            Err(Problem::new(Code::MalformedBody, "the multipart body has no boundary").because(rejection))
        }
    };
    if answer.is_err() {
        body::drain(&mut chunks(body)).await;
    }
    answer
}

/// What is left of a body: the form reads it as long as there is one, and nobody else meanwhile.
fn chunks(body: Arc<Mutex<BodyDataStream>>) -> impl Stream<Item = Result<Bytes, axum::Error>> + Send + Unpin {
    stream::poll_fn(move |context| {
        // A body whose reading panicked is not read on: the panic ends its request.
        body.lock().unwrap_or_else(PoisonError::into_inner).poll_next_unpin(context)
    })
}

/// Stores a file, which is never in memory whole.
pub(crate) async fn file(app: &App, field: Field<'_>) -> Result<BlobId, Problem> {
    let chunks = stream::unfold(field, |mut field| async {
        let chunk = field.chunk().await.transpose()?;
        Some((chunk, field))
    });
    app.blobs.put_stream(chunks).await.map_err(|error| match error {
        BlobsError::TooLarge { limit, .. } => body::file_too_large(limit),
        BlobsError::Upload(source) => match source.downcast::<MultipartError>() {
            Ok(error) => broken(*error),
            Err(_) => body::file_too_large(app.settings.max_body.bytes()),
        },
        other => other.into(),
    })
}

/// A part that is held in memory.
pub(crate) async fn text(app: &App, mut field: Field<'_>, memory: &mut Memory) -> Result<BytesMut, Problem> {
    let limit = body::max_json(app);
    let mut text = BytesMut::new();
    while let Some(chunk) = field.chunk().await.map_err(broken)? {
        if (text.len() + chunk.len()) as u64 > limit {
            return Err(body::too_large(limit));
        }
        memory.take(chunk.len())?;
        text.extend_from_slice(&chunk);
    }
    Ok(text)
}

/// The problem of a multipart body that cannot be read on.
pub(crate) fn broken(error: MultipartError) -> Problem {
    if error.status() == StatusCode::PAYLOAD_TOO_LARGE {
        return Problem::new(
            Code::PayloadTooLarge,
            "the body is larger than the server takes (`api.max_body`)",
        );
    }
    Problem::new(Code::MalformedBody, "the multipart body is not well formed, or broke off").because(error)
}
