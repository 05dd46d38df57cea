//! `GET /workers`: the fleet, as it says of itself; and the wish that one of it drain.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use millrace_bus::WorkerRecord;
use millrace_contracts::{UnixMillis, WorkerId};
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use crate::openapi::described;
use crate::params::Params;
use crate::patience::patiently;
use crate::problem::Problem;
use crate::state::App;

/// A worker, as it says of itself; nothing but its name once it is lost.
#[derive(Debug, Serialize)]
pub(crate) struct Worker {
    worker_id: WorkerId,
    /// Whether it has been heard of lately.
    alive: bool,
    last_seen: UnixMillis,
    #[serde(flatten)]
    info: Map<String, Value>,
}

/// The fleet.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Workers {
    #[schema(value_type = Vec<described::Worker>)]
    workers: Vec<Worker>,
}

/// List the workers
#[utoipa::path(
    get, path = "/api/v1/workers", operation_id = "list_workers", tag = "fleet",
    responses((status = 200, description = "The fleet.", body = Workers)),
)]
pub(crate) async fn list(State(app): State<Arc<App>>, params: Params) -> Result<Json<Workers>, Problem> {
    params.only(&[])?;
    Ok(Json(Workers { workers: patiently(app.bus.workers()).await?.iter().map(show).collect() }))
}

/// Drain a worker
///
/// It takes no more jobs, finishes those in hand, and ends.
#[utoipa::path(
    post, path = "/api/v1/workers/{id}/drain", operation_id = "drain_worker", tag = "fleet",
    params(("id" = WorkerId, Path)),
    responses((status = 202, description = "Asked for.", body = described::Worker)),
    security(("api_key" = ["admin"])),
)]
pub(crate) async fn drain(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    params: Params,
) -> Result<(StatusCode, Json<Worker>), Problem> {
    params.only(&[])?;
    let id = WorkerId::from(id);
    let workers = patiently(app.bus.workers()).await?;
    let known = workers.iter().find(|worker| worker.id == id && worker.info.is_some());
    let Some(known) = known else {
        return Err(Problem::not_found("worker", id));
    };
    patiently(app.bus.drain_worker(&id)).await?;
    let mut page = show(known);
    page.info.insert("state".into(), json!("draining"));
    Ok((StatusCode::ACCEPTED, Json(page)))
}

fn show(worker: &WorkerRecord) -> Worker {
    let mut info = info(worker);
    info.shift_remove("worker_id");
    Worker { worker_id: worker.id.clone(), alive: worker.info.is_some(), last_seen: worker.last_seen, info }
}

/// What a worker says of itself; nothing once it is lost.
pub(crate) fn info(worker: &WorkerRecord) -> Map<String, Value> {
    worker.info.as_deref().and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default()
}
