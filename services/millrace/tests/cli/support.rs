//! The binary, in an environment without settings; and an api that plays a run.

use std::collections::HashMap;
use std::convert::Infallible;
use std::process::Command;
use std::sync::{Arc, LazyLock, Mutex};

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Json, Response};
use axum::routing::{delete, get, post};
use futures::{StreamExt, stream};
use serde_json::{Value, json};
use tokio::sync::Notify;

pub(crate) const GOOD: &str = "01990000-0000-7000-8000-000000000001";
const BAD: &str = "01990000-0000-7000-8000-000000000002";
/// Waits for a worker, until its page was looked at.
pub(crate) const WAITING: &str = "01990000-0000-7000-8000-000000000003";
pub(crate) const ENDLESS: &str = "01990000-0000-7000-8000-000000000009";
const BLOB: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

/// A schedule as the api shows it, with every field that may be set.
pub(crate) static SCHEDULE: LazyLock<Value> = LazyLock::new(|| {
    json!({"id": GOOD, "workflow_id": BAD, "enabled": true, "revision": 7, "cron": "@daily", "timezone": "UTC",
        "overlap": "queue", "version": 3, "input": {"min": 0.5}, "priority": "low", "pool": "heavy",
        "labels": {"team": "vision"}, "timeout_ms": 90_000, "callback_url": "https://example.com/done",
        "jitter_ms": 5, "next_at": 1, "upcoming": [1], "waiting_at": null, "last": null, "last_run": null,
        "created_at": 1, "updated_at": 1, "links": {}})
});

/// The binary with `arguments`, and none of the settings of whoever runs the tests.
pub(crate) fn millrace(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_millrace"));
    command.args(arguments).env_clear().current_dir(std::env::temp_dir());
    command
}

/// An api that accepts every workflow and plays its run; workflows named `fails`, `refused` and `endless` do that or are that.
pub(crate) struct Api {
    pub(crate) url: String,
    seen: Arc<Seen>,
    // Dropping it ends the server.
    _runtime: tokio::runtime::Runtime,
}

#[derive(Default)]
struct Seen {
    submitted: Mutex<String>,
    /// Where to, and with which idempotency key.
    addressed: Mutex<(String, String)>,
    resumed_after: Mutex<Vec<String>>,
    /// The page of the run that waits.
    looked_at: Notify,
}

impl Api {
    pub(crate) fn start() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.expect("a runtime");
        let seen = Arc::new(Seen::default());
        let router = Router::new()
            .route("/api/v1/executions", post(submit))
            .route("/api/v1/workflows/{id}/run", post(submit))
            .route("/api/v1/executions/{id}", get(page))
            .route("/api/v1/executions/{id}/events", get(events))
            .route("/api/v1/executions/{id}/nodes", get(nodes))
            .route("/api/v1/events", get(firehose))
            .route("/api/v1/models/{id}", delete(async || StatusCode::NO_CONTENT))
            .route("/api/v1/blobs/{id}", get(async || "pixels"))
            .route("/api/v1/queues", get(queues))
            .route("/api/v1/workflows/{id}/schedules", post(schedule))
            .route("/api/v1/schedules/{id}", get(async || Json(SCHEDULE.clone())).put(schedule))
            .with_state(seen.clone());
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        runtime.spawn(async move { axum::serve(listener, router).await });
        Self { url, seen, _runtime: runtime }
    }

    /// The body of the last submission, as text.
    pub(crate) fn submitted(&self) -> String {
        self.seen.submitted.lock().expect("no test panics in here").clone()
    }

    /// The address and the `Idempotency-Key` of the last submission.
    pub(crate) fn addressed(&self) -> (String, String) {
        self.seen.addressed.lock().expect("no test panics in here").clone()
    }

    /// The `Last-Event-ID` of each connection so far.
    pub(crate) fn resumed_after(&self) -> Vec<String> {
        self.seen.resumed_after.lock().expect("no test panics in here").clone()
    }
}

/// Asks for a key.
async fn queues(headers: HeaderMap) -> Response {
    if headers.get(header::AUTHORIZATION).is_some_and(|value| value == "Bearer mr_good") {
        return Json(json!({"queues": [], "admission": {}})).into_response();
    }
    let problem = json!({"title": "An api key is needed", "status": 401, "code": "UNAUTHENTICATED"});
    (StatusCode::UNAUTHORIZED, Json(problem)).into_response()
}

/// Takes every schedule, and every change of one.
async fn schedule(State(seen): State<Arc<Seen>>, body: String) -> Json<Value> {
    *seen.submitted.lock().expect("no test panics in here") = body;
    Json(SCHEDULE.clone())
}

async fn submit(
    State(seen): State<Arc<Seen>>,
    uri: Uri,
    headers: HeaderMap,
    body: axum::body::Bytes,
) -> Response {
    let key = headers.get("idempotency-key").and_then(|key| key.to_str().ok()).unwrap_or_default();
    let addressed = (uri.to_string(), key.to_owned());
    let before = std::mem::replace(&mut *seen.addressed.lock().expect("no test panics in here"), addressed);
    let replayed = !key.is_empty() && before.1 == key;
    let text = String::from_utf8_lossy(&body).into_owned();
    seen.resumed_after.lock().expect("no test panics in here").clear();
    let refused = text.contains(r#""refused""#);
    let id = [("fails", BAD), ("waits", WAITING), ("endless", ENDLESS)];
    let id =
        id.into_iter().find(|(name, _)| text.contains(&format!("\"{name}\""))).map_or(GOOD, |(_, id)| id);
    *seen.submitted.lock().expect("no test panics in here") = text;
    if refused {
        let problem = json!({"type": "about:blank", "title": "The workflow is not valid", "status": 422, "detail": "1 fault",
            "code": "INVALID_WORKFLOW", "retryable": false,
            "errors": [{"code": "UNKNOWN_BLOCK", "pointer": "/nodes/0/type", "message": "no such block"},
                {"code": "INVALID_IMAGE", "pointer": "/input/photo", "message": "this is neither a blob id nor base64"}]});
        return (StatusCode::UNPROCESSABLE_ENTITY, Json(problem)).into_response();
    }
    let mut answer =
        (StatusCode::ACCEPTED, Json(json!({"execution_id": id, "status": "pending"}))).into_response();
    if replayed {
        answer.headers_mut().insert("idempotency-replayed", HeaderValue::from_static("true"));
    }
    answer
}

async fn page(State(seen): State<Arc<Seen>>, Path(id): Path<String>) -> Json<Value> {
    if id != WAITING {
        return Json(json!({"execution_id": GOOD, "status": "completed"}));
    }
    seen.looked_at.notify_one();
    let unserved = json!({"pools": ["fsat"], "served": ["cpu", "fast"]});
    Json(json!({"execution_id": WAITING, "status": "running", "unserved": unserved}))
}

async fn events(State(seen): State<Arc<Seen>>, Path(id): Path<String>, headers: HeaderMap) -> Response {
    let last = headers.get("last-event-id").and_then(|id| id.to_str().ok()).unwrap_or_default().to_owned();
    seen.resumed_after.lock().expect("no test panics in here").push(last.clone());
    if id == WAITING {
        seen.looked_at.notified().await;
    }
    let snapshot = json!({"execution_id": id, "workflow_id": null, "status": "running", "epoch": 1, "seq": 0,
        "progress": {"total": 2, "completed": 0, "failed": 0, "skipped": 0, "running": 1},
        "created_at": 1, "started_at": 1, "completed_at": null, "outputs": null, "error": null, "nodes": []});
    let found = json!({"items": [{"class_name": "circle", "confidence": 0.91, "bbox": [1, 2, 3, 4]}]});
    let picture = json!({"kind": "image", "blob": BLOB, "width": 4, "height": 3, "format": "png",
        "lineage": {"root": BLOB, "root_width": 4, "root_height": 3, "to_root": [1, 0, 0, 0, 1, 0]}});
    let outputs = json!({"answer": {"count": 1, "found": found, "picture": picture, "second": picture}});
    if id == ENDLESS {
        let begun = Ok::<_, Infallible>(sse("", "snapshot", &snapshot));
        let text = Body::from_stream(stream::iter([begun]).chain(stream::pending()));
        return ([(header::CONTENT_TYPE, "text/event-stream")], text).into_response();
    }
    let text = match (id.as_str(), last.as_str()) {
        (GOOD, "") => {
            let node = node("detect", &json!({"detections": found}));
            sse("", "snapshot", &snapshot)
                + &sse("1-1", "node.completed", &event("workflow.node.completed", &node))
        }
        (GOOD, _) => {
            let node = node("draw", &json!({"image": picture}));
            let end = json!({"status": "completed", "duration_ms": 42, "outputs": outputs, "error": null});
            sse("1-2", "node.completed", &event("workflow.node.completed", &node))
                + &sse("1-3", "completed", &event("workflow.completed", &end))
                + &sse("", "end", &json!({}))
        }
        _ => {
            let error = json!({"kind": "MODEL_NOT_FOUND", "message": "no model x", "retryable": false, "node": "detect"});
            let end = json!({"status": "failed", "duration_ms": 4, "outputs": null, "error": error});
            sse("", "snapshot", &snapshot) + &sse("1-1", "failed", &event("workflow.failed", &end))
        }
    };
    ([(header::CONTENT_TYPE, "text/event-stream")], text).into_response()
}

/// Two pages.
async fn nodes(Query(query): Query<HashMap<String, String>>) -> Json<Value> {
    let (name, next) = match query.get("after").map(String::as_str) {
        None => ("first", Some("first")),
        Some("first") => ("second", None),
        Some(_) => ("unknown", None),
    };
    Json(json!({"execution_id": GOOD, "nodes": [node(name, &json!({}))], "next_after": next}))
}

/// Everything, over two connections that break in the ways there are; a third one is refused.
async fn firehose(State(seen): State<Arc<Seen>>) -> Response {
    let mut connections = seen.resumed_after.lock().expect("no test panics in here");
    connections.push(String::new());
    let text = match connections.len() {
        1 => sse("", "node.completed", &event("workflow.node.completed", &json!({"part": 1}))),
        2 => {
            sse("", "completed", &event("workflow.completed", &json!({"part": 2})))
                + &sse("", "reconnect", &json!({"reason": "the server is shutting down"}))
        }
        _ => {
            let problem = json!({"title": "No more", "status": 403, "code": "FORBIDDEN", "retryable": false});
            return (StatusCode::FORBIDDEN, Json(problem)).into_response();
        }
    };
    ([(header::CONTENT_TYPE, "text/event-stream")], text).into_response()
}

fn node(id: &str, outputs: &Value) -> Value {
    json!({"node_id": id, "block": format!("{id}@1"), "status": "completed", "attempt": 1, "outputs": outputs,
        "queued_at": 1, "started_at": 2, "completed_at": 13})
}

fn event(kind: &str, data: &Value) -> Value {
    json!({"specversion": "1.0", "id": "x", "source": "/millrace/orchestrator", "type": format!("millrace.{kind}"),
        "time": "2026-01-01T00:00:00.000Z", "data": data})
}

fn sse(id: &str, event: &str, data: &Value) -> String {
    let id = if id.is_empty() { String::new() } else { format!("id: {id}\n") };
    format!("{id}event: {event}\ndata: {data}\n\n")
}
