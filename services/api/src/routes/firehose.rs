//! `GET /events`: everything that happens, as it happens, for dashboards.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::response::Response;

use millrace_contracts::{ExecutionId, WorkflowId};

use crate::auth::Caller;
use crate::live::{FirehoseFilter, FirehoseStream, TypeFilter};
use crate::params::Params;
use crate::problem::Problem;
use crate::sse;
use crate::state::App;

/// Follow everything that happens
///
/// Server-sent events of all runs, jobs, workers and models that pass the filters.
#[utoipa::path(
    get, path = "/api/v1/events", operation_id = "follow_everything", tag = "events",
    params(
        ("types" = Option<String>, Query, description = "Comma-separated globs.", example = "workflow.*"),
        ("token" = Option<String>, Query, description = "From `POST /api/v1/session/token`, for clients that cannot set headers."),
        ("workflow_id" = Option<WorkflowId>, Query), ("execution_id" = Option<ExecutionId>, Query),
    ),
    responses((status = 200, description = "The events.", body = String, content_type = "text/event-stream")),
)]
pub(crate) async fn follow(
    State(app): State<Arc<App>>,
    params: Params,
    caller: Option<Extension<Caller>>,
) -> Result<Response, Problem> {
    let params = params.only(&["types", "workflow_id", "execution_id", "token"])?;
    let filter = FirehoseFilter {
        types: TypeFilter::read(params.text("types"))?,
        workflow: params.parsed("workflow_id", "a workflow's id")?,
        run: params.parsed("execution_id", "an execution's id")?,
    };
    let permit = sse::admit(&app)?;
    let stream = FirehoseStream {
        receiver: app.hub.firehose(),
        filter,
        settings: app.stream_settings(caller.as_deref()),
        _permit: permit,
    };
    Ok(sse::response(stream.into_chunks()))
}
