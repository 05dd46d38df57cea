//! `GET /openapi.json`: the description of the api, made from its routes.

use axum::Extension;
use axum::body::Bytes;
use axum::http::header;
use axum::response::IntoResponse;

use crate::openapi::Document;

/// Describe the api (OpenAPI 3.1)
///
/// For everybody: it holds nothing of anybody's, and the page that shows it is read before there is a key to send.
#[utoipa::path(
    get, path = "/api/v1/openapi.json", operation_id = "get_openapi", tag = "meta",
    responses((status = 200, description = "This document.", body = Object)),
    security(()),
)]
pub(crate) async fn show(Extension(document): Extension<Document>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], Bytes::clone(&document.0))
}
