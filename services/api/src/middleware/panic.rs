//! A panic in a handler is a fault of ours and costs one request, not the process.

use std::any::Any;

use axum::response::{IntoResponse, Response};

use crate::problem::Problem;

#[derive(Debug, thiserror::Error)]
#[error("a handler panicked: {0}")]
struct Panicked(String);

/// The answer to a request whose handler panicked.
// The signature is the layer's.
#[expect(clippy::needless_pass_by_value, reason = "the layer hands the payload over by value")]
pub(crate) fn on_panic(payload: Box<dyn Any + Send + 'static>) -> Response {
    let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| payload.downcast_ref::<String>().cloned());
    Problem::internal(Panicked(text.unwrap_or_else(|| "no message".to_owned()))).into_response()
}
