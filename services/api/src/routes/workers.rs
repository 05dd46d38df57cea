//! `GET /workers`: the fleet, as it says of itself; and the wish that one of it drain.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use millrace_bus::WorkerRecord;
use millrace_contracts::WorkerId;
use serde_json::{Map, Value, json};

use crate::params::Params;
use crate::patience::patiently;
use crate::problem::Problem;
use crate::state::App;

/// Every worker that was registered and not taken off.
pub(crate) async fn list(State(app): State<Arc<App>>, params: Params) -> Result<Json<Value>, Problem> {
    params.only(&[])?;
    let workers: Vec<_> = patiently(app.bus.workers()).await?.iter().map(show).collect();
    Ok(Json(json!({"workers": workers})))
}

/// `POST /workers/{id}/drain`: the worker takes no more jobs, finishes those in hand, and ends.
pub(crate) async fn drain(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    params: Params,
) -> Result<(StatusCode, Json<Value>), Problem> {
    params.only(&[])?;
    let id = WorkerId::from(id);
    let workers = patiently(app.bus.workers()).await?;
    let known = workers.iter().find(|worker| worker.id == id && worker.info.is_some());
    let Some(known) = known else {
        return Err(Problem::not_found("worker", id));
    };
    patiently(app.bus.drain_worker(&id)).await?;
    let mut page = show(known);
    page["state"] = json!("draining");
    Ok((StatusCode::ACCEPTED, Json(page)))
}

fn show(worker: &WorkerRecord) -> Value {
    let mut page = info(worker);
    page.insert("worker_id".into(), json!(worker.id));
    page.insert("alive".into(), json!(worker.info.is_some()));
    page.insert("last_seen".into(), json!(worker.last_seen));
    Value::Object(page)
}

/// What a worker says of itself; nothing once it is lost.
pub(super) fn info(worker: &WorkerRecord) -> Map<String, Value> {
    worker.info.as_deref().and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default()
}
