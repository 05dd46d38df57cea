//! The three routes, by their public names.

use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use millrace_telemetry::{Health, MetricsHandle};
use tower::ServiceExt;

async fn get(health: &Health, path: &str) -> (StatusCode, String) {
    let request = Request::get(path).body(Body::empty()).expect("a request");
    let answer = health.clone().router().oneshot(request).await.expect("the router always answers");
    let status = answer.status();
    let body = to_bytes(answer.into_body(), 1 << 20).await.expect("a body");
    (status, String::from_utf8(body.to_vec()).expect("text"))
}

#[tokio::test]
async fn readiness_names_what_is_missing() {
    let health = Health::new(None).check("redis", async || Ok(()));
    assert_eq!(get(&health, "/healthz").await.0, StatusCode::OK);
    assert_eq!(get(&health, "/readyz").await.0, StatusCode::OK);
    let health = health.check("postgres", async || Err("connection refused".to_owned()));
    let (status, body) = get(&health, "/readyz").await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(body, r#"{"ready":false,"missing":[{"what":"postgres","why":"connection refused"}]}"#);
    assert_eq!(get(&health, "/healthz").await.0, StatusCode::OK);
}

#[tokio::test(start_paused = true)]
async fn a_check_that_hangs_counts_as_failed() {
    let health = Health::new(None).check("redis", std::future::pending);
    let (status, body) = get(&health, "/readyz").await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(body.contains("no answer"), "{body}");
}

#[tokio::test]
async fn metrics_are_prometheus_text() {
    let metrics = MetricsHandle::install(&["api"]).unwrap();
    metrics::counter!("millrace_tested_total").increment(3);
    metrics::histogram!("millrace_tested_seconds").record(0.003);
    let (status, body) = get(&Health::new(Some(metrics)), "/metrics").await;
    assert_eq!(status, StatusCode::OK);
    assert!(body.contains("millrace_tested_total 3"), "{body}");
    assert!(body.contains("millrace_tested_seconds_bucket{le=\"0.005\"} 1"), "{body}");
    assert!(body.contains("# HELP millrace_streams_lagged_total Event streams"), "{body}");
    assert!(body.contains("\nmillrace_streams_lagged_total 0\n"), "shown before the first: {body}");
    assert!(body.contains("\nmillrace_http_refused_total{reason=\"streams\"} 0\n"), "{body}");
    assert!(!body.contains("millrace_writer_events_total"), "that is another role's: {body}");
    assert!(body.contains("\nprocess_resident_memory_bytes "), "{body}");
    assert!(MetricsHandle::install(&["api"]).is_err());
}
