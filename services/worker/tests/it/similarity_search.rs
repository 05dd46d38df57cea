//! `similarity_search`, by an api that this test plays.

use axum::extract::Path;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use millrace_config::{Io, Secret};
use millrace_contracts::{ErrorKind, IO_POOL, Job, Pool};
use serde_json::{Value, json};

use crate::desk::{Desk, repository, settings};
use crate::outside::serve;

async fn search(Path(name): Path<String>, headers: HeaderMap, Json(body): Json<Value>) -> Response {
    match name.as_str() {
        "empty" => Json(json!({"matches": []})).into_response(),
        "unknown" => (StatusCode::NOT_FOUND, Json(json!({"code": "NOT_FOUND"}))).into_response(),
        "other" => {
            let fault = json!({"code": "DIMENSION_MISMATCH", "pointer": "/vector", "message": "too long"});
            let problem = json!({"code": "INVALID_REQUEST", "detail": "too long", "errors": [fault]});
            (StatusCode::UNPROCESSABLE_ENTITY, Json(problem)).into_response()
        }
        "closed" => StatusCode::UNAUTHORIZED.into_response(),
        "busy" => StatusCode::SERVICE_UNAVAILABLE.into_response(),
        "never" => std::future::pending().await,
        _ => {
            let key = headers["authorization"].to_str().unwrap_or_default();
            let payload = json!({"key": key, "asked": body});
            let matches = json!([{"id": "a", "score": 0.75, "payload": payload}, {"id": "b", "score": 0.5, "payload": {}}]);
            Json(json!({"matches": matches})).into_response()
        }
    }
}

async fn io() -> Io {
    let api = serve(Router::new().route("/api/v1/collections/{name}/search", post(search))).await;
    Io {
        collections_url: Some(api),
        collections_key: Some(Secret::new("mr_key".to_owned())),
        search_timeout: std::time::Duration::from_millis(300),
        ..Io::default()
    }
}

#[expect(clippy::needless_pass_by_value, reason = "callers write literals")]
fn near(embedding: Value, config: Value) -> Job {
    let inputs = json!({"embedding": embedding});
    Job { pool: Pool::from(IO_POOL), ..Desk::job("similarity_search@1", inputs, config) }
}

#[tokio::test]
async fn the_store_is_asked_what_the_block_says() {
    let mut desk = Desk::open().await;
    let worker = desk.worker_out(settings(), repository(), io().await).await;
    let config = json!({"collection": "pets", "top_k": 2, "min_score": 0.5, "filter": {"kind": "cat"}});
    let done = desk.run(near(json!([0.5, 1]), config)).await.unwrap();
    let asked = json!({"vector": [0.5, 1.0], "top_k": 2, "min_score": 0.5, "filter": {"kind": "cat"}});
    let best = json!({"id": "a", "score": 0.75, "payload": {"key": "Bearer mr_key", "asked": asked}});
    assert_eq!(done.outputs["best"], best);
    assert_eq!(done.outputs["matches"], json!([best, {"id": "b", "score": 0.5, "payload": {}}]));
    let none = desk.run(near(json!([1]), json!({"collection": "empty"}))).await.unwrap();
    assert_eq!((&none.outputs["best"], &none.outputs["matches"]), (&Value::Null, &json!([])));
    desk.queues_become_empty().await;
    worker.stop().await;
}

#[tokio::test]
async fn what_goes_wrong_has_its_kind_and_place() {
    let mut desk = Desk::open().await;
    let worker = desk.worker_out(settings(), repository(), io().await).await;
    for (collection, embedding, (kind, pointer, retryable)) in [
        ("unknown", json!([1]), (ErrorKind::InvalidConfig, "/config/collection", false)),
        ("other", json!([1]), (ErrorKind::InvalidInput, "/inputs/embedding", false)),
        ("pets", json!([]), (ErrorKind::InvalidInput, "/inputs/embedding", false)),
        ("pets", json!([1, null]), (ErrorKind::InvalidInput, "/inputs/embedding", false)),
        ("pets", json!("nearby"), (ErrorKind::InvalidInput, "/inputs/embedding", false)),
        ("closed", json!([1]), (ErrorKind::InvalidConfig, "/config/backend", false)),
        ("busy", json!([1]), (ErrorKind::Network, "/config/backend", true)),
        ("never", json!([1]), (ErrorKind::Timeout, "/config/backend", true)),
    ] {
        let error = desk.run(near(embedding, json!({"collection": collection}))).await.unwrap_err();
        assert_eq!(
            (error.kind, error.pointer.as_deref(), error.retryable),
            (kind, Some(pointer), retryable),
            "{error}"
        );
        assert!(!error.message.contains("mr_key"), "{error}");
        assert!(collection != "unknown" || error.message.contains("POST /api/v1/collections"), "{error}");
    }
    let config = json!({"collection": "pets", "backend": "qdrant"});
    let error = desk.run(near(json!([1]), config)).await.unwrap_err();
    assert!(error.kind == ErrorKind::InvalidConfig && error.message.contains("io.qdrant_url"), "{error}");
    worker.stop().await;
}
