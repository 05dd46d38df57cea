//! `GET /queues`: how many jobs wait where, and for how long; and how many runs wait to begin.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use millrace_bus::{LineView, QueueDepth};
use serde::Serialize;
use utoipa::ToSchema;

use crate::params::Params;
use crate::patience::patiently;
use crate::problem::Problem;
use crate::state::App;

/// Flows that are shown of those that wait, and of those under way.
const FLOWS: usize = 50;

/// The queues, and the line of runs in front of them.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Queues {
    queues: Vec<QueueDepth>,
    admission: LineView,
}

/// Show how much waits where
#[utoipa::path(
    get, path = "/api/v1/queues", operation_id = "list_queues", tag = "fleet",
    responses((status = 200, description = "Every queue at every priority.", body = Queues)),
)]
pub(crate) async fn list(State(app): State<Arc<App>>, params: Params) -> Result<Json<Queues>, Problem> {
    params.only(&[])?;
    let (queues, admission) =
        patiently(async { tokio::try_join!(app.bus.queue_depths(), app.bus.line(FLOWS)) }).await?;
    Ok(Json(Queues { queues, admission }))
}
