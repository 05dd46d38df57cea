//! Fetching from a real server on this machine, which is what nobody may reach unless it is allowed.
#![allow(clippy::unwrap_used, reason = "a test may panic")]
#![allow(clippy::disallowed_methods, reason = "a test's own task, which ends with its runtime")]

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, Uri, header};
use axum::routing::get;
use futures::{StreamExt, stream};
use millrace_fetch::{FetchError, FetchSettings, Fetcher, Wanted};
use reqwest::header::HeaderMap as Headers;
use sha2::{Digest, Sha256};

const SIZE: usize = 100_000;

fn content() -> Vec<u8> {
    (0..SIZE).map(|at| (at * 31 % 251) as u8).collect()
}

fn digest() -> String {
    hex::encode(Sha256::digest(content()))
}

/// `/file` breaks off in the middle of the first answer, and so does `/shifted`, whose rest is not what was asked for.
async fn server() -> (String, Arc<AtomicUsize>) {
    if rustls::crypto::ring::default_provider().install_default().is_err() {
        // Another test of this process was first.
    }
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let file = move |headers: HeaderMap| {
        let number = count.fetch_add(1, Ordering::SeqCst);
        async move { answer(&headers, number == 0, 0) }
    };
    let count = Arc::clone(&asked);
    let shifted = move |headers: HeaderMap| {
        let number = count.fetch_add(1, Ordering::SeqCst);
        async move { answer(&headers, number == 0, 10) }
    };
    let count = Arc::clone(&asked);
    let dated = move |uri: Uri, headers: HeaderMap| {
        // Who asks for a part counts ten times.
        let counts = if headers.contains_key(header::RANGE) { 10 } else { 1 };
        let number = count.fetch_add(counts, Ordering::SeqCst);
        async move { dated(uri.query().unwrap_or_default(), &headers, number == 0) }
    };
    let redirect = |to: &'static str| async move {
        Response::builder().status(302).header(header::LOCATION, to).body(Body::empty()).unwrap()
    };
    let routes = Router::new()
        .route("/file", get(file))
        .route("/shifted", get(shifted))
        .route("/dated", get(dated))
        .route("/to-file", get(move || redirect("/file")))
        .route("/to-metadata", get(move || redirect("http://169.254.169.254/latest/")))
        .route("/to-disk", get(move || redirect("file:///etc/passwd")))
        .route("/round", get(move || redirect("/round")))
        .route(
            "/who",
            get(async |headers: HeaderMap| headers[header::USER_AGENT].clone().as_bytes().to_vec()),
        )
        .route("/gone", get(async || StatusCode::GONE));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, routes).await });
    (address, asked)
}

/// What is asked for, or what lies `shift` bytes before it.
fn answer(headers: &HeaderMap, breaks_off: bool, shift: usize) -> Response<Body> {
    let from = headers.get(header::RANGE).and_then(|range| {
        range.to_str().ok()?.strip_prefix("bytes=")?.strip_suffix('-')?.parse::<usize>().ok()
    });
    let begin = from.map_or(0, |from| from - shift);
    let rest = content()[begin..].to_vec();
    let range = from.map(|_| format!("bytes {begin}-{}/{SIZE}", SIZE - 1));
    let mut answer = Response::builder()
        .status(if from.is_some() { 206 } else { 200 })
        .header(header::ETAG, "\"one\"")
        .header(header::CONTENT_LENGTH, rest.len());
    if let Some(range) = range {
        answer = answer.header(header::CONTENT_RANGE, range);
    }
    if breaks_off {
        let half = stream::iter([Ok(rest[..SIZE / 2].to_vec())]);
        // The server sends what it has while it waits for more.
        let broken = stream::once(async {
            tokio::task::yield_now().await;
            Err(std::io::Error::other("on purpose"))
        });
        return answer.body(Body::from_stream(half.chain(broken))).unwrap();
    }
    answer.body(Body::from(rest)).unwrap()
}

/// The file of a host that names it by the time of its last change; how that stands to the time of its answers, `how` says.
fn dated(how: &str, headers: &HeaderMap, breaks_off: bool) -> Response<Body> {
    let changed = if how == "just-now" && breaks_off { "09:59:58" } else { "09:00:00" };
    let time = |time: &str| HeaderValue::try_from(format!("Mon, 02 Nov 2026 {time} GMT")).unwrap();
    let mut answer = answer(headers, breaks_off, 0);
    answer.headers_mut().remove(header::ETAG);
    answer.headers_mut().insert(header::DATE, time("10:00:00"));
    answer.headers_mut().insert(header::LAST_MODIFIED, time(changed));
    match how {
        "weak-tag" => drop(answer.headers_mut().insert(header::ETAG, HeaderValue::from_static("W/\"one\""))),
        // It knows no `If-Range`.
        "other-by-now" if !breaks_off => {
            drop(answer.headers_mut().insert(header::LAST_MODIFIED, time("09:30:00")))
        }
        _ => {}
    }
    answer
}

fn fetcher(allowed: &[&str]) -> Fetcher {
    let allowed_hosts = allowed.iter().map(|host| (*host).to_owned()).collect();
    Fetcher::new(FetchSettings { allowed_hosts, ..FetchSettings::default() })
}

fn wanted(url: String, sha256: Option<String>) -> Wanted {
    Wanted { url, sha256, max_bytes: SIZE as u64 }
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        folder.read_dir().unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[tokio::test]
async fn what_is_not_public_is_refused_by_name_by_address_and_behind_a_redirect() {
    let (server, asked) = server().await;
    let port = server.rsplit(':').next().unwrap();
    for host in
        ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "2130706433", "0x7f.1", "169.254.169.254", "[::1]"]
    {
        let refused = fetcher(&[]).get(&format!("http://{host}:{port}/file"), Headers::new()).await;
        assert!(matches!(refused, Err(FetchError::Forbidden { .. })), "{host}: {refused:?}");
        let text = refused.unwrap_err().to_string();
        assert!(text.ends_with("adding the host to `io.allowed_hosts`"), "{text}");
    }
    for url in [
        "file:///etc/passwd",
        "ftp://example.org/",
        "http://user:secret@example.org/",
        "http://user:secret@",
        "nonsense",
        "http://",
    ] {
        let refused = fetcher(&[]).get(url, Headers::new()).await;
        assert!(matches!(refused, Err(FetchError::Address(_))), "{url}: {refused:?}");
        assert!(!refused.unwrap_err().to_string().contains("secret"), "{url}");
    }
    let allowed = fetcher(&["127.0.0.1"]);
    let refused = allowed.get(&format!("{server}/to-metadata"), Headers::new()).await;
    assert!(matches!(refused, Err(FetchError::Forbidden { .. })), "{refused:?}");
    let refused = allowed.get(&format!("{server}/to-disk"), Headers::new()).await;
    assert!(matches!(refused, Err(FetchError::Address(_))), "{refused:?}");
    let refused = allowed.get(&format!("{server}/round"), Headers::new()).await;
    assert!(matches!(refused, Err(FetchError::Redirects { .. })), "{refused:?}");
    let refused = allowed.get(&format!("{server}/gone"), Headers::new()).await;
    assert!(matches!(refused, Err(FetchError::Status { status: 410, .. })), "{refused:?}");
    assert_eq!(asked.load(Ordering::SeqCst), 0, "a refused address was asked");
}

#[tokio::test]
async fn who_asks_is_said() {
    let (server, _) = server().await;
    let answer = fetcher(&["127.0.0.1"]).get(&format!("{server}/who"), Headers::new()).await.unwrap();
    assert_eq!(answer.text().await.unwrap(), concat!("Millrace/", env!("CARGO_PKG_VERSION")));
}

#[tokio::test]
async fn a_download_that_breaks_off_is_resumed_and_done_once() {
    let (server, asked) = server().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("model");
    let fetcher = fetcher(&["127.0.0.1"]);
    let wanted = wanted(format!("{server}/to-file"), Some(digest()));
    let all = futures::future::join_all((0..4).map(|_| fetcher.download(&wanted, &file))).await;
    let fetched: Vec<_> = all.into_iter().map(Result::unwrap).collect();
    assert_eq!(fetched.iter().filter(|one| !one.cached).count(), 1);
    assert!(fetched.iter().all(|one| one.sha256 == digest() && one.bytes == SIZE as u64));
    assert_eq!(std::fs::read(&file).unwrap(), content());
    // The answer that broke off, and the one that gave the rest.
    assert_eq!(asked.load(Ordering::SeqCst), 2);
    assert_eq!(names(folder.path()), ["model", "model.lock", "model.stamp"]);
}

#[tokio::test]
async fn a_rest_that_is_not_what_was_asked_for_is_not_put_behind_what_is_there() {
    let (server, asked) = server().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("model");
    fetcher(&["127.0.0.1"]).download(&wanted(format!("{server}/shifted"), None), &file).await.unwrap();
    assert_eq!(std::fs::read(&file).unwrap(), content());
    assert_eq!(asked.load(Ordering::SeqCst), 3, "half of it, another rest, all of it");
}

#[tokio::test]
async fn a_download_is_resumed_by_the_time_of_the_last_change_where_that_names_the_bytes() {
    for (how, requests) in [
        // Half of it, and the rest.
        ("long-ago", 11),
        // What is changed in the same minute may be changed again; a tag that is there counts, however weak it is.
        ("just-now", 2),
        ("weak-tag", 2),
        // Half of it, the rest of something else, all of that.
        ("other-by-now", 12),
    ] {
        let (server, asked) = server().await;
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("model");
        let wanted = wanted(format!("{server}/dated?{how}"), None);
        fetcher(&["127.0.0.1"]).download(&wanted, &file).await.unwrap();
        assert_eq!(std::fs::read(&file).unwrap(), content(), "{how}");
        assert_eq!(asked.load(Ordering::SeqCst), requests, "{how}");
    }
}

#[tokio::test]
async fn other_bytes_and_too_many_bytes_are_refused_and_leave_nothing() {
    let (server, _) = server().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("model");
    let fetcher = fetcher(&["127.0.0.1"]);
    let wrong = wanted(format!("{server}/file"), Some("0".repeat(64)));
    let refused = fetcher.download(&wrong, &file).await;
    assert!(matches!(refused, Err(FetchError::Digest { .. })), "{refused:?}");
    let large = Wanted { max_bytes: SIZE as u64 - 1, ..wanted(format!("{server}/file"), None) };
    let refused = fetcher.download(&large, &file).await;
    assert!(matches!(refused, Err(FetchError::TooLarge { .. })), "{refused:?}");
    assert_eq!(names(folder.path()), ["model.lock"]);
}
