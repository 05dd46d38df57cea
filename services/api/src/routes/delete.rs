//! `DELETE /executions/{id}`: a run and what it said and made. Its id stays, and answers 410. That it referred to blobs is
//! forgotten with it; those that nobody else refers to are removed once they are as old as `retention.blobs` says.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use millrace_contracts::ExecutionId;
use millrace_store::StoreError;
use tokio::time::{Instant, sleep};

use crate::params::Params;
use crate::patience::patiently;
use crate::problem::{Code, Problem};
use crate::state::App;
use crate::view;

/// The end of a run is told before it is recorded: for the record a request waits so long.
const RECORD_WAIT: Duration = Duration::from_secs(2);
/// And looks so often.
const LOOK_EVERY: Duration = Duration::from_millis(50);

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
    delete_recorded(&app, id).await?;
    // The live state would go by itself; until then streams would be served from it.
    if let Err(problem) = patiently(app.bus.forget(id)).await {
        tracing::debug!(execution.id = %id, problem = ?problem.code(), "a deleted run's live state stays until it expires");
    }
    Ok(StatusCode::NO_CONTENT)
}

/// Deletes the run as soon as the record knows of its end.
async fn delete_recorded(app: &App, id: ExecutionId) -> Result<(), Problem> {
    let deadline = Instant::now() + RECORD_WAIT;
    let mut has_ended = false;
    loop {
        match app.store.executions().delete(id).await {
            Err(StoreError::NotEnded) => {}
            other => return Ok(other?),
        }
        has_ended = has_ended || view::find(app, id).await?.status().is_terminal();
        if !has_ended {
            return Err(StoreError::NotEnded.into());
        }
        if Instant::now() >= deadline {
            let detail =
                "the execution has ended, and its end is not recorded yet; send it again in a moment";
            return Err(Problem::new(Code::RequestTimeout, detail));
        }
        sleep(LOOK_EVERY).await;
    }
}
