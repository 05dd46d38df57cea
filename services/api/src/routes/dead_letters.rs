//! `GET /dead-letters`: events that could not be recorded, each with the reason. For operators.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use millrace_store::DeadLetter;
use serde::Serialize;
use utoipa::ToSchema;

use crate::params::Params;
use crate::problem::Problem;
use crate::state::App;

/// The newest dead letters.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DeadLetters {
    dead_letters: Vec<DeadLetter>,
}

/// List events that could not be recorded, newest first
#[utoipa::path(
    get, path = "/api/v1/dead-letters", operation_id = "list_dead_letters", tag = "fleet",
    params(("limit" = Option<u32>, Query, minimum = 1, maximum = 200)),
    responses((status = 200, description = "The newest of them.", body = DeadLetters)),
    security(("api_key" = ["admin"])),
)]
pub(crate) async fn list(State(app): State<Arc<App>>, params: Params) -> Result<Json<DeadLetters>, Problem> {
    let limit = params.only(&["limit"])?.limit(50, 200)?;
    Ok(Json(DeadLetters { dead_letters: app.store.dead_letters().list(limit).await? }))
}
