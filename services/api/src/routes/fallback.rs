//! Addresses and methods that do not exist.

use axum::http::{Method, Uri};

use crate::problem::{Code, Problem};

/// No such address.
pub(crate) async fn not_found(uri: Uri) -> Problem {
    let path: String = uri.path().chars().take(200).collect();
    Problem::new(Code::RouteNotFound, format!("there is nothing at {path}; the api begins at /api/v1"))
}

/// The address has other methods; the `Allow` header names them.
pub(crate) async fn method_not_allowed(method: Method) -> Problem {
    Problem::new(
        Code::MethodNotAllowed,
        format!("{method} is not possible here; the Allow header says what is"),
    )
}
