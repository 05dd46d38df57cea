//! Webhooks, taken by a server of this machine.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use millrace_bus::Abandon;
use millrace_config::{Io, Secret, Worker};
use millrace_contracts::job::CALLBACK_NODE;
use millrace_contracts::{ErrorKind, IO_POOL, Job, Pool};
use serde_json::{Value, json};

use crate::desk::{Desk, on, repository, settings};
use crate::outside::{local, serve};
use crate::scene;

/// What came, in order.
type Inbox = Arc<Mutex<Vec<(Method, Uri, HeaderMap, Bytes)>>>;

async fn take(
    State(inbox): State<Inbox>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let mut inbox = inbox.lock().unwrap();
    inbox.push((method, uri.clone(), headers, body));
    let count = inbox.iter().filter(|(_, earlier, ..)| *earlier == uri).count();
    match uri.path() {
        "/busy" if count < 3 => StatusCode::SERVICE_UNAVAILABLE.into_response(),
        "/slow-down" if count < 2 => {
            (StatusCode::TOO_MANY_REQUESTS, [(header::RETRY_AFTER, "2")]).into_response()
        }
        "/down" => StatusCode::BAD_GATEWAY.into_response(),
        "/no" => StatusCode::FORBIDDEN.into_response(),
        "/moved" => (StatusCode::PERMANENT_REDIRECT, [(header::LOCATION, "/there")]).into_response(),
        "/away" => {
            (StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, "http://169.254.169.254/")]).into_response()
        }
        "/flood" => vec![b'x'; 3 << 20].into_response(),
        _ => ([(header::CONTENT_TYPE, "application/json")], r#"{"thanks": true}"#).into_response(),
    }
}

async fn server() -> (String, Inbox) {
    let inbox = Inbox::default();
    (serve(Router::new().fallback(take).with_state(inbox.clone())).await, inbox)
}

fn secrets() -> Io {
    let secret = |name: &str, text: &str| (name.to_owned(), Secret::new(text.to_owned()));
    let secrets = BTreeMap::from([
        secret("signing", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
        secret("token", "Bearer hunter2"),
        secret("broken", "hunter2!"),
    ]);
    Io { secrets, ..local() }
}

#[expect(clippy::needless_pass_by_value, reason = "callers write literals")]
fn webhook(payload: Value, mut config: Value) -> Job {
    for (field, value) in [("timeout_ms", 5_000), ("max_attempts", 4)] {
        if config.get(field).is_none() {
            config[field] = value.into();
        }
    }
    Job { pool: Pool::from(IO_POOL), ..Desk::job("webhook@1", json!({"payload": payload}), config) }
}

#[tokio::test]
async fn a_webhook_is_signed_and_says_who_it_is() {
    let (mut desk, (server, inbox)) = (Desk::open().await, server().await);
    let worker = desk.worker_out(settings(), repository(), secrets()).await;
    let config = json!({
        "url": format!("{server}/in?a=1"), "headers": {"X-Team": "blue"},
        "secret_headers": {"Authorization": "token"}, "signing_secret": "signing",
    });
    let job = webhook(json!({"count": 3}), config);
    let id = job.id.to_string();
    let done = desk.run(job).await.unwrap();
    assert_eq!((&done.outputs["status"], &done.outputs["attempts"]), (&json!(200), &json!(1)));
    assert!(done.outputs["latency_ms"].is_u64());
    assert_eq!(done.outputs["response"], json!({"thanks": true}));
    let (method, uri, headers, body) = inbox.lock().unwrap().remove(0);
    let header = |name: &str| headers[name].to_str().unwrap().to_owned();
    assert_eq!((method, uri.to_string().as_str()), (Method::POST, "/in?a=1"));
    assert_eq!(body, r#"{"count":3}"#);
    assert_eq!((header("x-team").as_str(), header("authorization").as_str()), ("blue", "Bearer hunter2"));
    assert_eq!((header("idempotency-key"), header("webhook-id")), (id.clone(), id.clone()));
    assert_eq!(header("content-type"), "application/json");
    assert_eq!(header("user-agent"), concat!("Millrace/", env!("CARGO_PKG_VERSION")));
    let key = STANDARD.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(&key).unwrap();
    mac.update(format!("{id}.{}.{{\"count\":3}}", header("webhook-timestamp")).as_bytes());
    assert_eq!(header("webhook-signature"), format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())));

    // A text goes as text, a template as it stands, and a GET without a body.
    let text = json!({"url": format!("{server}/in"), "body": "hello", "method": "PUT", "headers": {"User-Agent": "me"}});
    desk.run(webhook(json!(null), text)).await.unwrap();
    let get = json!({"url": format!("{server}/in"), "method": "GET"});
    desk.run(webhook(json!(null), get)).await.unwrap();
    let came = std::mem::take(&mut *inbox.lock().unwrap());
    assert_eq!((&came[0].0, &came[0].3), (&Method::PUT, &Bytes::from("hello")));
    assert!(came[0].2["content-type"].to_str().unwrap().starts_with("text/plain"));
    assert_eq!(came[0].2["user-agent"], "me", "what the workflow says itself stays");
    assert_eq!((&came[1].0, came[1].3.len()), (&Method::GET, 0));
    worker.stop().await;
}

#[tokio::test]
async fn pictures_are_told_with_an_address_where_others_reach_them() {
    let (mut desk, (server, inbox)) = (Desk::open().await, server().await);
    let image = desk.image(scene("scene_00.jpg")).await;
    let payload = json!({"found": [{"picture": image.to_value()}]});
    let config = json!({"url": format!("{server}/in")});
    let path = format!("/api/v1/blobs/{}", image.blob);
    for (public, base) in
        [(None, ""), (Some("https://millrace.example.com/"), "https://millrace.example.com")]
    {
        let io = Io { public_url: public.map(|url| url.parse().unwrap()), ..secrets() };
        let worker = desk.worker_out(settings(), repository(), io).await;
        desk.run(webhook(payload.clone(), config.clone())).await.unwrap();
        let body = |inbox: &Inbox| inbox.lock().unwrap().pop().unwrap().3;
        let told: Value = serde_json::from_slice(&body(&inbox)).unwrap();
        assert_eq!(told["found"][0]["picture"]["url"], format!("{base}{path}"));
        assert_eq!(told["found"][0]["picture"]["width"], 640);
        // The end of a run, as it stands in the log.
        let mut picture = image.to_value();
        picture["url"] = json!(path);
        let event = json!({"type": "millrace.workflow.completed", "data": {"outputs": {"answer": {"picture": picture, "mean": 0.1}}}});
        let news = Job { node_id: CALLBACK_NODE.into(), ..webhook(json!(event.to_string()), config.clone()) };
        desk.run(news).await.unwrap();
        let mut expected = event;
        expected["data"]["outputs"]["answer"]["picture"]["url"] = json!(format!("{base}{path}"));
        assert_eq!(body(&inbox), expected.to_string());
        worker.stop().await;
    }
}

#[tokio::test]
async fn who_is_busy_is_asked_again_with_the_same_key_and_who_refuses_is_not() {
    let (mut desk, (server, inbox)) = (Desk::open().await, server().await);
    let worker = desk.worker_out(settings(), repository(), secrets()).await;
    let done = desk.run(webhook(json!(1), json!({"url": format!("{server}/busy")}))).await.unwrap();
    assert_eq!(
        (&done.outputs["attempts"], done.metrics.sent, done.metrics.answered),
        (&json!(3), Some(3), Some(200))
    );
    let keys = inbox
        .lock()
        .unwrap()
        .iter()
        .map(|(.., headers, _)| headers["idempotency-key"].clone())
        .collect::<Vec<_>>();
    assert!(keys.len() == 3 && keys.iter().all(|key| *key == keys[0]));
    let begun = Instant::now();
    let done = desk.run(webhook(json!(1), json!({"url": format!("{server}/slow-down")}))).await.unwrap();
    assert!(done.outputs["attempts"] == 2 && begun.elapsed() >= Duration::from_secs(2), "{done:?}");
    let moved = desk.run(webhook(json!({"a": 1}), json!({"url": format!("{server}/moved")}))).await.unwrap();
    assert_eq!(
        (&moved.outputs["status"], &inbox.lock().unwrap().last().unwrap().3),
        (&json!(200), &Bytes::from(r#"{"a":1}"#))
    );
    let flood = desk.run(webhook(json!(1), json!({"url": format!("{server}/flood")}))).await.unwrap();
    assert!(flood.outputs["response"].is_null() && flood.warnings[0].contains("was not read"), "{flood:?}");

    let cases = [
        (json!({"url": format!("{server}/no")}), ErrorKind::Network, "403; it was sent once"),
        (json!({"url": "nowhere"}), ErrorKind::InvalidConfig, "no address"),
        (json!({"url": format!("{server}/down"), "max_attempts": 2}), ErrorKind::Network, "sent 2 times"),
        (json!({"url": format!("{server}/away")}), ErrorKind::InvalidInput, "not a public address"),
        (
            json!({"url": server.replace("127.0.0.1", "localhost")}),
            ErrorKind::InvalidInput,
            "not a public address",
        ),
        (json!({"url": server, "signing_secret": "nobody's"}), ErrorKind::InvalidConfig, "no secret"),
        (json!({"url": server, "signing_secret": "broken"}), ErrorKind::InvalidConfig, "not base64"),
        (json!({"url": server, "headers": {"X-A": "a\nb"}}), ErrorKind::InvalidConfig, "cannot be sent"),
    ];
    for (config, kind, words) in cases {
        let error = desk.run(webhook(json!(1), config.clone())).await.unwrap_err();
        assert_eq!((error.kind, error.retryable), (kind, false), "{config}: {error}");
        assert!(error.message.contains(words) && !error.message.contains("hunter2"), "{error}");
        let refused = words == "not a public address";
        assert!(
            !refused || error.message.ends_with("`io.allowed_hosts`"),
            "nothing is said to be sent: {error}"
        );
    }
    worker.stop().await;
}

#[tokio::test]
async fn waiting_for_others_holds_up_no_picture() {
    let mut desk = Desk::open().await;
    let never = serve(Router::new().fallback(async || std::future::pending::<()>().await)).await;
    let small = Worker { concurrency: 1, ..settings() };
    let worker = desk.worker_out(small, repository(), Io { concurrency: 8, ..local() }).await;
    let waiting: Vec<Job> =
        (0..8).map(|_| webhook(json!(1), json!({"url": never, "timeout_ms": 60_000}))).collect();
    desk.bus.enqueue(&waiting, &[]).await.unwrap();
    for job in &waiting {
        desk.wait(|report| report.job_id == job.id).await;
    }
    let image = desk.image(scene("scene_00.jpg")).await;
    let resize = Desk::job("resize@1", on(&image), json!({"width": 8}));
    assert_eq!(desk.run(resize).await.unwrap().outputs["image"]["width"], 8);
    let all = |job: &Job| Abandon { execution_id: job.execution_id, job_ids: Vec::new() };
    desk.bus.abandon(&waiting.iter().map(all).collect::<Vec<_>>()).await.unwrap();
    for job in &waiting {
        assert_eq!(desk.end_of(job.id).await.unwrap_err().kind, ErrorKind::Cancelled);
    }
    worker.stop().await;
}
