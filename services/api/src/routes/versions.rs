//! `GET /workflows/{id}/versions[/{n}]`: what a workflow was.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::response::Response;
use serde_json::{Value, json};

use super::workflows::{answer, parse_id};
use crate::problem::Problem;
use crate::state::App;

/// Every version, newest first.
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
) -> Result<Json<Value>, Problem> {
    let versions = app.store.workflows().versions(parse_id(&id)?).await?;
    let rows: Vec<_> = versions
        .iter()
        .map(|row| json!({"version": row.version, "definition": row.definition_blob, "created_at": row.created_at}))
        .collect();
    Ok(Json(json!({"versions": rows})))
}

/// One version.
pub(crate) async fn show(
    State(app): State<Arc<App>>,
    Path((id, version)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let number = version.parse().map_err(|_| Problem::not_found("version", &version))?;
    answer(&app.store.workflows().get_version(parse_id(&id)?, number).await?)
}
