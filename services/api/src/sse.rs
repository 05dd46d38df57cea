//! What every event stream has in common: its place among the open ones, and its headers.

use std::convert::Infallible;

use axum::body::{Body, Bytes};
use axum::http::{HeaderName, header};
use axum::response::{IntoResponse, Response};
use futures::Stream;
use tokio::sync::OwnedSemaphorePermit;

use crate::problem::{Code, Problem, shutting_down};
use crate::state::App;

/// A place among the open streams; it travels with the stream.
pub(crate) fn admit(app: &App) -> Result<OwnedSemaphorePermit, Problem> {
    if app.shutdown.is_cancelled() {
        return Err(shutting_down());
    }
    app.streams.clone().try_acquire_owned().map_err(|_| {
        metrics::counter!("millrace_http_refused_total", "reason" => "streams").increment(1);
        Problem::new(
            Code::TooManyStreams,
            "as many event streams as may be are open; connect again in a moment",
        )
    })
}

/// An answer that goes on.
pub(crate) fn response(chunks: impl Stream<Item = Result<Bytes, Infallible>> + Send + 'static) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/event-stream"),
        (header::CACHE_CONTROL, "no-cache"),
        // Proxies that collect what they pass on would hold events back.
        (HeaderName::from_static("x-accel-buffering"), "no"),
    ];
    (headers, Body::from_stream(chunks)).into_response()
}

/// Whether the caller wants stored events as JSON rather than a stream.
pub(crate) fn wants_json(accept: Option<&str>) -> bool {
    accept.is_some_and(|accept| accept.contains("application/json") && !accept.contains("text/event-stream"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_for_those_who_ask_for_it() {
        assert!(wants_json(Some("application/json")));
        assert!(!wants_json(Some("text/event-stream, application/json")));
        assert!(!wants_json(Some("*/*")));
        assert!(!wants_json(None));
    }
}
