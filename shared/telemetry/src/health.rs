//! `/healthz`, `/readyz` and `/metrics`, the same on every role.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Json, Response};
use axum::routing::get;
use futures::future::{BoxFuture, join_all};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::MetricsHandle;

/// A check that takes longer counts as failed.
const CHECK_TIMEOUT: Duration = Duration::from_secs(2);

type Check = Arc<dyn Fn() -> BoxFuture<'static, Result<(), String>> + Send + Sync>;

/// What a role answers about itself. Cheap to clone.
#[derive(Clone, Default)]
pub struct Health {
    checks: Vec<(&'static str, Check)>,
    metrics: Option<MetricsHandle>,
}

impl Health {
    /// Without checks: ready as soon as it answers.
    #[must_use]
    pub fn new(metrics: Option<MetricsHandle>) -> Self {
        Self { checks: Vec::new(), metrics }
    }

    /// Adds a check; `what` is the name that `/readyz` shows, the error says what is the matter.
    #[must_use]
    pub fn check<F, R>(mut self, what: &'static str, check: F) -> Self
    where
        F: Fn() -> R + Send + Sync + 'static,
        R: Future<Output = Result<(), String>> + Send + 'static,
    {
        self.checks.push((what, Arc::new(move || Box::pin(check()))));
        self
    }

    /// What is missing, as (what, why); empty when ready.
    pub async fn missing(&self) -> Vec<(&'static str, String)> {
        let asked = self.checks.iter().map(|(what, check)| async move {
            let answer = tokio::time::timeout(CHECK_TIMEOUT, check()).await;
            let answer = answer.unwrap_or_else(|_| Err(format!("no answer within {CHECK_TIMEOUT:?}")));
            answer.err().map(|why| (*what, why))
        });
        join_all(asked).await.into_iter().flatten().collect()
    }

    /// The three routes.
    pub fn router(self) -> Router {
        Router::new()
            .route("/healthz", get(async || Json(json!({"status": "ok"}))))
            .route("/readyz", get(ready))
            .route("/metrics", get(metrics))
            .with_state(self)
    }
}

async fn ready(State(health): State<Health>) -> Response {
    let missing = health.missing().await;
    let status = if missing.is_empty() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let list: Vec<_> = missing.iter().map(|(what, why)| json!({"what": what, "why": why})).collect();
    (status, Json(json!({"ready": missing.is_empty(), "missing": list}))).into_response()
}

async fn metrics(State(health): State<Health>) -> Response {
    let text = health.metrics.as_ref().map(MetricsHandle::render).unwrap_or_default();
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response()
}

/// Serves the three routes on `listener` until `shutdown`.
///
/// # Errors
/// When the listener fails.
pub async fn serve_health(
    listener: tokio::net::TcpListener,
    health: Health,
    shutdown: CancellationToken,
) -> std::io::Result<()> {
    axum::serve(listener, health.router()).with_graceful_shutdown(shutdown.cancelled_owned()).await
}
