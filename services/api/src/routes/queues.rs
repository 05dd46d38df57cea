//! `GET /queues`: how many jobs wait where, and for how long; and how many runs wait to begin.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

use crate::params::Params;
use crate::patience::patiently;
use crate::problem::Problem;
use crate::state::App;

/// Flows that are shown of those that wait, and of those under way.
const FLOWS: usize = 50;

/// Every queue at every priority, and the line of runs in front of them.
pub(crate) async fn list(State(app): State<Arc<App>>, params: Params) -> Result<Json<Value>, Problem> {
    params.only(&[])?;
    let (queues, line) =
        patiently(async { tokio::try_join!(app.bus.queue_depths(), app.bus.line(FLOWS)) }).await?;
    Ok(Json(json!({"queues": queues, "admission": line})))
}
