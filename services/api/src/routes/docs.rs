//! `GET /docs`: the document for people, by Swagger UI, whose files are part of the binary. Nothing is fetched from elsewhere.

use std::sync::Arc;

use axum::extract::Path;
use axum::http::header;
use axum::response::{IntoResponse, Redirect, Response};
use utoipa_swagger_ui::Config;

use crate::problem::{Code, Problem};

/// The page's files take no inline script, and the page talks to this server only. The page styles its elements by itself.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
                      connect-src 'self'; font-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Sends to the page: its files are named relative to a folder.
pub(crate) async fn enter() -> Redirect {
    Redirect::permanent("/docs/")
}

/// The page itself.
pub(crate) async fn page() -> Result<Response, Problem> {
    serve("index.html")
}

/// A file of the page.
pub(crate) async fn file(Path(name): Path<String>) -> Result<Response, Problem> {
    serve(&name)
}

fn serve(name: &str) -> Result<Response, Problem> {
    let config = Arc::new(Config::from("/api/v1/openapi.json"));
    let found = utoipa_swagger_ui::serve(name, config)
        .map_err(|_| Problem::new(Code::Internal, "the page's settings cannot be written"))?;
    let file = found.ok_or_else(|| {
        Problem::new(Code::RouteNotFound, "there is no such file of the page; it begins at /docs")
    })?;
    let headers =
        [(header::CONTENT_TYPE, file.content_type.as_str()), (header::CONTENT_SECURITY_POLICY, POLICY)];
    Ok((headers, file.bytes.into_owned()).into_response())
}
