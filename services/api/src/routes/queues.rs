//! `GET /queues`: how many jobs wait where, and for how long.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

use crate::params::Params;
use crate::patience::patiently;
use crate::problem::Problem;
use crate::state::App;

/// Every queue at every priority.
pub(crate) async fn list(State(app): State<Arc<App>>, params: Params) -> Result<Json<Value>, Problem> {
    params.only(&[])?;
    Ok(Json(json!({"queues": patiently(app.bus.queue_depths()).await?})))
}
