//! Everything outside `/api`: the web console's files, and its one page for the addresses it makes up itself. Where the
//! binary was built without the console, a plain page says so.

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use millrace_console_assets::{Asset, asset};

use super::fallback;
use crate::etag;
use crate::problem::Problem;

/// Everything comes from here: no other site's scripts, styles or frames. Pictures are blobs of the api, or made in the page.
const SECURITY_POLICY: &str = "default-src 'self'; img-src 'self' blob: data:; style-src 'self' 'unsafe-inline'; \
     worker-src 'self' blob:; media-src 'self' blob:; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; \
     form-action 'self'";

/// Asked for anew every time, by its digest: it names the other files by theirs.
const REVALIDATE: &str = "no-cache";
/// A name with a digest in it never means other bytes.
const FOR_EVER: &str = "public, max-age=31536000, immutable";

const PLAIN_PAGE: &str = include_str!("console/plain.html");

/// Serves a file of the console, or its page.
pub(crate) async fn show(request: Request) -> Result<Response, Problem> {
    let path = request.uri().path().trim_start_matches('/');
    let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
    if !is_read || path == "api" || path.starts_with("api/") {
        return Err(fallback::not_found(request.uri().clone()).await);
    }
    let gzip = accepts_gzip(request.headers());
    if let Some(file) = asset(path, gzip) {
        return Ok(answer(request.headers(), file));
    }
    // A file that is not there is a mistake; an address without an ending is one of the console's own pages.
    if path.starts_with("assets/") || path.rsplit('/').next().is_some_and(|name| name.contains('.')) {
        return Err(fallback::not_found(request.uri().clone()).await);
    }
    match asset("index.html", gzip) {
        Some(page) => Ok(answer(request.headers(), page)),
        None => Ok(plain()),
    }
}

fn accepts_gzip(headers: &HeaderMap) -> bool {
    let accepted =
        headers.get(header::ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or_default();
    accepted.split(',').any(|one| {
        let (name, weight) = one.split_once(';').unwrap_or((one, ""));
        name.trim().eq_ignore_ascii_case("gzip") && weight.replace(' ', "") != "q=0"
    })
}

fn answer(headers: &HeaderMap, file: Asset) -> Response {
    let tag = format!("\"{}\"", file.digest);
    let known = etag::none_match(headers, &tag);
    let mut response =
        if known { StatusCode::NOT_MODIFIED.into_response() } else { file.bytes.into_response() };
    let headers = response.headers_mut();
    let fixed = [
        (header::CONTENT_TYPE, file.content_type),
        (header::CACHE_CONTROL, if file.immutable { FOR_EVER } else { REVALIDATE }),
        (header::VARY, "accept-encoding"),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if file.gzip {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    if let Ok(tag) = HeaderValue::try_from(tag) {
        headers.insert(header::ETAG, tag);
    }
    protect(headers);
    response
}

fn plain() -> Response {
    let mut response = axum::response::Html(PLAIN_PAGE).into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static(REVALIDATE));
    protect(response.headers_mut());
    response
}

fn protect(headers: &mut HeaderMap) {
    let fixed = [
        (header::CONTENT_SECURITY_POLICY, SECURITY_POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "same-origin"),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    fn request(method: Method, path: &str) -> Request {
        Request::builder().method(method).uri(path).body(Body::empty()).unwrap()
    }

    #[tokio::test]
    async fn pages_are_one_page_and_the_api_is_not_among_them() {
        for path in ["/", "/workflows", "/executions/01a1fd1d-b0e7-71cb-b3f4-9039e0163d89"] {
            let response = show(request(Method::GET, path)).await.unwrap();
            assert_eq!(response.status(), StatusCode::OK, "{path}");
            let kind = response.headers()[header::CONTENT_TYPE].to_str().unwrap();
            assert!(kind.starts_with("text/html"), "{path}: {kind}");
            assert_eq!(response.headers()[header::CACHE_CONTROL], REVALIDATE);
            assert!(response.headers().contains_key(header::CONTENT_SECURITY_POLICY));
        }
        for (method, path) in [
            (Method::GET, "/api/v1/nothing"),
            (Method::GET, "/api"),
            (Method::POST, "/workflows"),
            (Method::GET, "/assets/gone-1234.js"),
            (Method::GET, "/favicon.ico"),
        ] {
            let problem = show(request(method, path)).await.unwrap_err();
            assert_eq!(problem.status(), StatusCode::NOT_FOUND, "{path}");
        }
    }

    #[test]
    fn gzip_is_sent_to_those_who_take_it() {
        let headers = |text: &'static str| {
            HeaderMap::from_iter([(header::ACCEPT_ENCODING, HeaderValue::from_static(text))])
        };
        for text in ["gzip", "br, gzip;q=0.5", "GZIP"] {
            assert!(accepts_gzip(&headers(text)), "{text}");
        }
        for text in ["br", "gzip;q=0", "identity"] {
            assert!(!accepts_gzip(&headers(text)), "{text}");
        }
        assert!(!accepts_gzip(&HeaderMap::new()));
    }
}
