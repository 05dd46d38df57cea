//! `POST /workflows/{id}/run` and `POST /executions`: one run, of a saved workflow or of a definition that comes along.

use std::sync::Arc;

use axum::extract::{Path, Request, State};
use axum::response::Response;
use millrace_contracts::WorkflowId;

use super::workflows::parse_id;
use crate::openapi::described::{InlineRunRequest, RunForm, RunRequest};
use crate::params::Params;
use crate::problem::Problem;
use crate::state::App;
use crate::submit::{self, Ask, Ready, RunAccepted, Target};
use crate::view::Execution;

/// Run a saved workflow at its newest version
///
/// Files of a form are named after inputs. With `wait` the answer is held until the run ends.
#[utoipa::path(
    post, path = "/api/v1/workflows/{id}/run", operation_id = "run_workflow", tag = "executions",
    params(
        ("id" = WorkflowId, Path), ("wait" = Option<String>, Query, description = "Such as `30s`: how long to hold the answer.", example = "30s"),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key answers with the same run, for 24 hours."),
    ),
    request_body(content((RunRequest = "application/json"), (RunForm = "multipart/form-data"))),
    responses((status = 202, description = "Accepted; it goes on.", body = RunAccepted), (status = 200, description = "It has ended. A workflow whose `api_response` completed answers with the body and the status of that instead.", body = Execution)),
)]
pub(crate) async fn saved(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    params: Params,
    request: Request,
) -> Result<Response, Problem> {
    let target = Target::saved(&app, parse_id(&id)?).await?;
    run(&app, params, request, Some(target)).await
}

/// Run a definition that comes along
///
/// In a form the part `request` comes first.
#[utoipa::path(
    post, path = "/api/v1/executions", operation_id = "run_definition", tag = "executions",
    params(
        ("wait" = Option<String>, Query, description = "Such as `30s`: how long to hold the answer.", example = "30s"),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key answers with the same run, for 24 hours."),
    ),
    request_body(content((InlineRunRequest = "application/json"), (RunForm = "multipart/form-data"))),
    responses((status = 202, description = "Accepted; it goes on.", body = RunAccepted), (status = 200, description = "It has ended. A workflow whose `api_response` completed answers with the body and the status of that instead.", body = Execution)),
)]
pub(crate) async fn inline(
    State(app): State<Arc<App>>,
    params: Params,
    request: Request,
) -> Result<Response, Problem> {
    run(&app, params, request, None).await
}

async fn run(
    app: &Arc<App>,
    params: Params,
    request: Request,
    target: Option<Target>,
) -> Result<Response, Problem> {
    let ask = Ask::read(app, params, &request, "run")?;
    let draft = submit::read(app, request, target).await?;
    ask.admit(app, &draft.target, &draft.options).await?;
    let input = submit::resolve(app, &draft.target.compiled, draft.input, "/input").await?;
    drop(draft.memory);
    let ready = Ready { target: draft.target, input, options: draft.options, rerun_of: None };
    ask.submit(app, ready).await
}
