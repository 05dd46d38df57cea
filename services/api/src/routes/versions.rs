//! `GET /workflows/{id}/versions[/{n}]`: what a workflow was.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::response::Response;
use millrace_contracts::{BlobId, UnixMillis, WorkflowId};
use millrace_store::WorkflowVersion;
use serde::Serialize;
use utoipa::ToSchema;

use super::workflows::{Workflow, answer, parse_id};
use crate::problem::Problem;
use crate::state::App;

/// The versions of a workflow.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Versions {
    versions: Vec<VersionRow>,
}

#[derive(Debug, Serialize, ToSchema)]
struct VersionRow {
    version: u32,
    /// The definition's blob.
    definition: BlobId,
    created_at: UnixMillis,
}

/// List the versions of a workflow, newest first
#[utoipa::path(
    get, path = "/api/v1/workflows/{id}/versions", operation_id = "list_workflow_versions", tag = "workflows",
    params(("id" = WorkflowId, Path)),
    responses((status = 200, description = "Every version.", body = Versions)),
)]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
) -> Result<Json<Versions>, Problem> {
    let versions = app.store.workflows().versions(parse_id(&id)?).await?;
    let row = |row: &WorkflowVersion| VersionRow {
        version: row.version,
        definition: row.definition_blob,
        created_at: row.created_at,
    };
    Ok(Json(Versions { versions: versions.iter().map(row).collect() }))
}

/// Show a version of a workflow
#[utoipa::path(
    get, path = "/api/v1/workflows/{id}/versions/{version}", operation_id = "get_workflow_version", tag = "workflows",
    params(("id" = WorkflowId, Path), ("version" = u32, Path)),
    responses((status = 200, description = "The workflow as it was.", body = Workflow<'_>, headers(("ETag" = String)))),
)]
pub(crate) async fn show(
    State(app): State<Arc<App>>,
    Path((id, version)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let number = version.parse().map_err(|_| Problem::not_found("version", &version))?;
    answer(&app.store.workflows().get_version(parse_id(&id)?, number).await?)
}
