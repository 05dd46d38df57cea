//! An address that holds a NUL names nothing, since no text in the record can hold one. It is told here, once for all that take
//! names and filters from addresses.

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::problem::{Code, Problem};

/// A NUL in an address.
const NUL: &str = "%00";

/// Serves a request whose address can be read.
pub(crate) async fn readable(request: Request, next: Next) -> Response {
    let (path, query) = (request.uri().path(), request.uri().query());
    if path.contains(NUL) {
        return Problem::not_found("address", path).into_response();
    }
    if query.is_some_and(|query| query.contains(NUL)) {
        return Problem::new(Code::InvalidQuery, "a parameter holds a NUL, which no text here can")
            .into_response();
    }
    next.run(request).await
}
