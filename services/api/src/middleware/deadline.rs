//! No request is served for ever: what `?wait=` asks for comes on top of the usual time, and an upload gets time by its size.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::header;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::problem::{Code, Problem};
use crate::state::App;

/// The slowest sender that is waited for, bytes per second.
const SLOWEST_UPLOAD_BYTES_PER_S: u64 = 64 * 1024;

/// Serves a request within its time.
pub(crate) async fn deadline(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let limit = app.settings.request_timeout
        + sending(&request, app.settings.max_body.bytes())
        + waiting(&app, &request);
    match tokio::time::timeout(limit, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Problem::new(Code::RequestTimeout, "the request was not done in time and was given up")
            .into_response(),
    }
}

fn sending(request: &Request, most: u64) -> Duration {
    let length =
        request.headers().get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    let chunked = request.headers().contains_key(header::TRANSFER_ENCODING);
    let bytes: u64 = length.unwrap_or(if chunked { most } else { 0 });
    Duration::from_secs(bytes.min(most) / SLOWEST_UPLOAD_BYTES_PER_S)
}

fn waiting(app: &App, request: &Request) -> Duration {
    let asks =
        request.uri().query().is_some_and(|query| query.split('&').any(|pair| pair.starts_with("wait=")));
    if asks { app.settings.max_wait } else { Duration::ZERO }
}
