//! No request is served for ever: what `?wait=` asks for comes on top of the usual time, and an upload gets time by its size.

use std::sync::Arc;
use std::time::Duration;

use axum::body::HttpBody;
use axum::extract::{Request, State};
use axum::http::header;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::problem::{Code, Problem};
use crate::routes::upload::is_for_model;
use crate::state::App;

/// The slowest sender that is waited for, bytes per second.
const SLOWEST_UPLOAD_BYTES_PER_S: u64 = 64 * 1024;

/// Serves a request within its time.
pub(crate) async fn deadline(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let most = if is_for_model(request.uri()) { app.max_model } else { app.settings.max_body };
    let limit = app.settings.request_timeout + sending(&request, most.bytes()) + waiting(&app, &request);
    match tokio::time::timeout(limit, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Problem::new(Code::RequestTimeout, "the request was not done in time and was given up")
            .into_response(),
    }
}

fn sending(request: &Request, most: u64) -> Duration {
    let length =
        request.headers().get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    // HTTP/2 has bodies of unknown length without a header that says so.
    let bytes: u64 = length.unwrap_or(if request.body().is_end_stream() { 0 } else { most });
    Duration::from_secs(bytes.min(most) / SLOWEST_UPLOAD_BYTES_PER_S)
}

fn waiting(app: &App, request: &Request) -> Duration {
    let asks =
        request.uri().query().is_some_and(|query| query.split('&').any(|pair| pair.starts_with("wait=")));
    if asks { app.settings.max_wait } else { Duration::ZERO }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    #[test]
    fn only_the_files_of_models_get_the_time_of_models() {
        let asks = |uri: &str| is_for_model(&uri.parse().unwrap());
        assert!(asks("/api/v1/blobs?for=model") && asks("/api/v1/blobs?x=1&for=model"));
        for other in
            ["/api/v1/blobs", "/api/v1/blobs?for=run", "/api/v1/models?for=model", "/api/v1/blobs?for"]
        {
            assert!(!asks(other), "{other}");
        }
    }

    #[test]
    fn a_body_of_unknown_length_gets_the_time_of_the_largest() {
        let most = 10 * SLOWEST_UPLOAD_BYTES_PER_S;
        let seconds = |request: Request| sending(&request, most).as_secs();
        // As over HTTP/2: no header tells of it.
        let unknown = || Body::from_stream(futures::stream::pending::<Result<Vec<u8>, std::io::Error>>());
        assert_eq!(seconds(Request::new(unknown())), 10);
        assert_eq!(seconds(Request::new(Body::empty())), 0);
        let told = Request::builder().header(header::CONTENT_LENGTH, 3 * SLOWEST_UPLOAD_BYTES_PER_S);
        assert_eq!(seconds(told.body(unknown()).unwrap()), 3);
    }
}
