//! `GET /audit`: who changed what, when, and from where. For operators.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use millrace_store::{ChangeFilter, ChangeRecord};
use serde::Serialize;
use utoipa::ToSchema;

use crate::cursor::Cursor;
use crate::params::Params;
use crate::problem::Problem;
use crate::state::App;

const FILTERS: [&str; 7] = ["actor", "action", "target", "from", "to", "cursor", "limit"];

/// A page of changes.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Changes {
    changes: Vec<ChangeRecord>,
    /// What to send as `cursor` for the page after.
    next_cursor: Option<String>,
}

/// List who changed what, newest first
///
/// Every change that was made, a moment after it was; and what may have been changed although the answer was a fault (500 and above),
/// or the caller did not wait for one (`status` is null). What was refused is not here, and nothing of what was sent.
#[utoipa::path(
    get, path = "/api/v1/audit", operation_id = "list_changes", tag = "keys",
    params(
        ("actor" = Option<Uuid>, Query, description = "An api key's id."),
        ("action" = Option<String>, Query, description = "An operation of this document.", example = "create_key"),
        ("target" = Option<String>, Query, description = "An address below `/api/v1`.", example = "models/shapes-detector"),
        ("from" = Option<String>, Query, description = "RFC 3339, or milliseconds since the Unix epoch."),
        ("to" = Option<String>, Query, description = "RFC 3339, or milliseconds since the Unix epoch."),
        ("cursor" = Option<String>, Query), ("limit" = Option<u32>, Query, minimum = 1, maximum = 200),
    ),
    responses((status = 200, description = "A page.", body = Changes)),
    security(("api_key" = ["admin"])),
)]
pub(crate) async fn list(State(app): State<Arc<App>>, params: Params) -> Result<Json<Changes>, Problem> {
    let params = params.only(&FILTERS)?;
    let limit = params.limit(50, 200)?;
    let before = params.text("cursor").map(Cursor::decode).transpose()?.map(|cursor| cursor.0);
    let filter = ChangeFilter {
        actor_id: params.parsed("actor", "an api key's id")?,
        action: params.text("action").map(str::to_owned),
        target: params.text("target").map(str::to_owned),
        from: params.time("from")?,
        to: params.time("to")?,
    };
    let changes = app.store.audit().list(&filter, before, limit).await?;
    let last = changes.last().filter(|_| changes.len() == limit as usize);
    let next_cursor = last.map(|last| Cursor(last.change.id).encode());
    Ok(Json(Changes { changes, next_cursor }))
}
