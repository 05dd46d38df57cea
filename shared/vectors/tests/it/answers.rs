//! What each store is asked, and what becomes of its answers.

use axum::extract::Path;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use millrace_vectors::{Backend, Match, Query, StoreSettings, VectorError, VectorStores};
use serde_json::{Map, Value, json};

use crate::support::{query, serve, stores};

/// Gives what was asked back, as the payload of a match.
fn echo(headers: &HeaderMap, path: &str, body: &Value) -> Value {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let key = [header("authorization"), header("api-key")].concat();
    json!({"path": path, "key": key, "body": body})
}

fn problem(status: u16, code: &str, pointer: &str) -> Response {
    let body = json!({"code": code, "detail": "why", "errors": [{"code": "X", "pointer": pointer, "message": "why"}]});
    (StatusCode::from_u16(status).unwrap(), Json(body)).into_response()
}

async fn api(Path(name): Path<String>, headers: HeaderMap, Json(body): Json<Value>) -> Response {
    match name.as_str() {
        "unknown" => problem(404, "NOT_FOUND", ""),
        "wrong" => problem(422, "INVALID_REQUEST", "/vector"),
        "odd" => problem(422, "INVALID_REQUEST", "/filter"),
        "busy" => problem(503, "OVERLOADED", ""),
        "pace" => problem(429, "RATE_LIMITED", ""),
        "closed" => problem(401, "UNAUTHENTICATED", ""),
        "never" => std::future::pending().await,
        "flood" => Json(json!({"matches": "x".repeat(10_000)})).into_response(),
        "moved" => (StatusCode::TEMPORARY_REDIRECT, [("location", "/elsewhere")]).into_response(),
        "garbled" => "<html>".into_response(),
        _ => {
            let echo = echo(&headers, &name, &body);
            Json(json!({"matches": [{"id": "a", "score": 0.5, "payload": echo}]})).into_response()
        }
    }
}

/// The answer that Qdrant documents for "Query points".
async fn qdrant(Path(name): Path<String>, headers: HeaderMap, Json(body): Json<Value>) -> Json<Value> {
    let echo = echo(&headers, &name, &body);
    Json(json!({
        "time": 0.002, "status": "ok", "usage": {"cpu": 1},
        "result": {"points": [
            {"id": 42, "version": 3, "score": 0.75, "payload": echo, "shard_key": "region_1", "order_value": 42},
            {"id": "9c0f6a0e-4c5d-4f3e-8d1b-5f5d5c5b5a59", "version": 3, "score": 0.5, "payload": null, "vector": null},
        ]},
    }))
}

async fn server() -> String {
    let routes = Router::new()
        .route("/base/api/v1/collections/{name}/search", post(api))
        .route("/base/collections/{name}/points/query", post(qdrant));
    format!("{}/base/", serve(routes).await)
}

#[tokio::test]
async fn each_store_is_asked_in_its_own_way() {
    let stores = stores(&server().await);
    let narrow = Query {
        min_score: Some(0.25),
        filter: Map::from_iter([("kind".to_owned(), json!("cat"))]),
        ..query("a b/c")
    };
    let found = stores.search(Backend::Collections, &narrow).await.unwrap();
    let payload = json!({"path": "a b/c", "key": "Bearer mr_ours", "body": {
        "vector": [1.0, 0.5], "top_k": 3, "min_score": 0.25, "filter": {"kind": "cat"},
    }});
    assert_eq!(found, [Match { id: json!("a"), score: 0.5, payload }]);

    let found = stores.search(Backend::Qdrant, &narrow).await.unwrap();
    assert_eq!((&found[0].id, found[0].score), (&json!(42), 0.75));
    let body = json!({
        "query": [1.0, 0.5], "limit": 3, "with_payload": true, "score_threshold": 0.25,
        "filter": {"must": [{"key": "kind", "match": {"value": "cat"}}]},
    });
    assert_eq!(found[0].payload, json!({"path": "a b/c", "key": "theirs", "body": body}));
    assert_eq!((found[1].id.is_string(), &found[1].payload), (true, &Value::Null));
}

#[tokio::test]
async fn what_goes_wrong_is_told_by_whose_fault_it_is() {
    let stores = stores(&server().await);
    let ask = async |name: &str| stores.search(Backend::Collections, &query(name)).await.unwrap_err();
    assert!(matches!(ask("unknown").await, VectorError::UnknownCollection(name) if name == "unknown"));
    assert!(matches!(ask("wrong").await, VectorError::Vector(detail) if detail == "why"));
    assert!(matches!(ask("odd").await, VectorError::Refused { status: 422, .. }));
    assert!(matches!(ask("closed").await, VectorError::Forbidden(401)));
    assert!(matches!(ask("flood").await, VectorError::TooLarge { limit: 4_096 }));
    assert!(
        matches!(ask("moved").await, VectorError::Refused { status: 307, .. }),
        "the key goes nowhere else"
    );
    assert!(matches!(ask("garbled").await, VectorError::Answer(_)));
    for name in ["busy", "pace"] {
        assert!(matches!(ask(name).await, VectorError::Unreachable(_)), "{name}");
    }
    let late = ask("never").await;
    assert!(matches!(late, VectorError::TimedOut(_)) && late.is_retryable(), "{late}");
}

#[tokio::test]
async fn a_store_that_is_not_there_or_not_named_is_told_apart() {
    // Nobody listens at this other address of the machine.
    let gone = serve(Router::new()).await.replace("127.0.0.1", "127.0.0.2");
    let away = stores(&gone).search(Backend::Qdrant, &query("c")).await.unwrap_err();
    assert!(matches!(away, VectorError::Unreachable(_)) && away.is_retryable(), "{away}");
    assert!(!away.to_string().contains("theirs"), "{away}");
    let none = StoreSettings {
        collections: None,
        qdrant: None,
        timeout: std::time::Duration::from_secs(1),
        max_answer_bytes: 1,
    };
    for (backend, setting) in
        [(Backend::Collections, "io.collections_url"), (Backend::Qdrant, "io.qdrant_url")]
    {
        let nowhere = VectorStores::new(none.clone()).search(backend, &query("c")).await.unwrap_err();
        assert!(nowhere.to_string().contains(setting) && !nowhere.is_retryable(), "{nowhere}");
    }
}
