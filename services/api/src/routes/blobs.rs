//! `GET/HEAD /blobs/{sha256}`: bytes out, whole or in part. A digest never changes its bytes, so they are cached for ever.

use std::ops::Range;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use millrace_blobs::Blobs;
use millrace_contracts::BlobId;

use crate::etag;
use crate::openapi::described::Binary;
use crate::problem::{Code, Problem};
use crate::range::{Wanted, wanted};
use crate::sniff::{SNIFF_BYTES, content_type};
use crate::state::App;

/// Fetch a blob, whole or in part
///
/// HEAD answers the same without the bytes.
#[utoipa::path(
    get, path = "/api/v1/blobs/{id}", operation_id = "get_blob", tag = "blobs",
    params(("id" = BlobId, Path), ("Range" = Option<String>, Header, example = "bytes=0-1023"), ("If-None-Match" = Option<String>, Header)),
    responses(
        (status = 200, description = "The bytes.", body = Binary, content_type = "application/octet-stream"),
        (status = 206, description = "The range.", body = Binary, content_type = "application/octet-stream"),
        (status = 304, description = "The client has it."),
    ),
)]
pub(crate) async fn show(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    answer(&app, named(&id)?, &headers).await
}

/// The blob of an address: its digest, or the same as inputs write it, `blob:<sha256>`.
pub(super) fn named(id: &str) -> Result<BlobId, Problem> {
    let digest = id.strip_prefix("blob:").unwrap_or(id);
    digest.parse().map_err(|_| Problem::not_found("blob", id))
}

/// The bytes of a blob, as the request's headers ask for them.
pub(super) async fn answer(app: &App, id: BlobId, headers: &HeaderMap) -> Result<Response, Problem> {
    let size = app.blobs.head(id).await?.ok_or_else(|| Problem::not_found("blob", id))?;
    let tag = format!("\"{id}\"");
    if etag::none_match(headers, &tag) {
        return Ok((StatusCode::NOT_MODIFIED, fixed_headers(&tag)?).into_response());
    }
    let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    // A range of another version would be put together with what the client has.
    let applies = text(header::IF_RANGE).is_none_or(|known| known == tag);
    let (status, range) = match wanted(text(header::RANGE).filter(|_| applies), size) {
        Wanted::Whole => (StatusCode::OK, 0..size),
        Wanted::Part(range) => (StatusCode::PARTIAL_CONTENT, range),
        Wanted::Outside => {
            let problem = Problem::new(Code::RangeNotSatisfiable, format!("the blob has {size} bytes"));
            return Err(problem.header(header::CONTENT_RANGE, value(format!("bytes */{size}"))?));
        }
    };
    let head = read(&app.blobs, id, 0..size.min(SNIFF_BYTES as u64)).await?;
    let mut response = (status, fixed_headers(&tag)?).into_response();
    let out = response.headers_mut();
    out.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type(&head)));
    out.insert(header::CONTENT_LENGTH, (range.end - range.start).into());
    if status == StatusCode::PARTIAL_CONTENT {
        out.insert(header::CONTENT_RANGE, value(format!("bytes {}-{}/{size}", range.start, range.end - 1))?);
    }
    *response.body_mut() = Body::from_stream(app.blobs.pieces(id, range));
    Ok(response)
}

fn fixed_headers(tag: &str) -> Result<HeaderMap, Problem> {
    Ok(HeaderMap::from_iter([
        (header::ETAG, value(tag.to_owned())?),
        (header::CACHE_CONTROL, HeaderValue::from_static("private, max-age=31536000, immutable")),
        (header::ACCEPT_RANGES, HeaderValue::from_static("bytes")),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        // Whatever the bytes are, opened in a browser they may do nothing.
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; sandbox")),
    ]))
}

fn value(text: String) -> Result<HeaderValue, Problem> {
    HeaderValue::try_from(text).map_err(Problem::internal)
}

async fn read(blobs: &Blobs, id: BlobId, range: Range<u64>) -> Result<Bytes, Problem> {
    if range.is_empty() { Ok(Bytes::new()) } else { Ok(blobs.get_range(id, range).await?) }
}
