//! `GET /workers`: the fleet, as it says of itself.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use millrace_bus::WorkerRecord;
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
