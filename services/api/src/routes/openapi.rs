//! `GET /openapi.json`: the description of the api, made from its routes.

use axum::Extension;
use axum::body::Bytes;
use axum::http::header;
use axum::response::IntoResponse;

use crate::openapi::Document;

/// Describe the api (OpenAPI 3.1)
#[utoipa::path(
    get, path = "/api/v1/openapi.json", operation_id = "get_openapi", tag = "meta",
    responses((status = 200, description = "This document.", body = Object)),
)]
pub(crate) async fn show(Extension(document): Extension<Document>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], Bytes::clone(&document.0))
}
