//! `DELETE /executions/{id}`: a run and what it said and made. Its id stays, and answers 410. That it referred to blobs is
//! forgotten with it; those that nobody else refers to are removed once they are as old as `retention.blobs` says.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use millrace_contracts::ExecutionId;

use crate::params::Params;
use crate::patience::patiently;
use crate::problem::Problem;
use crate::state::App;
use crate::view;

/// Delete a run that has ended
///
/// Its events, node runs and jobs go with it; its id answers 410 from then on.
#[utoipa::path(
    delete, path = "/api/v1/executions/{id}", operation_id = "delete_execution", tag = "executions",
    params(("id" = ExecutionId, Path)),
    responses((status = 204, description = "Deleted.")),
)]
pub(crate) async fn delete(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    params: Params,
) -> Result<StatusCode, Problem> {
    params.only(&[])?;
    let id = view::parse_id(&id)?;
    app.store.executions().delete(id).await?;
    // The live state would go by itself; until then streams would be served from it.
    if let Err(problem) = patiently(app.bus.forget(id)).await {
        tracing::debug!(execution.id = %id, problem = ?problem.code(), "a deleted run's live state stays until it expires");
    }
    Ok(StatusCode::NO_CONTENT)
}
