//! `POST /workflows/{id}/run` and `POST /executions`: one run, of a saved workflow or of a definition that comes along.

use std::sync::Arc;

use axum::extract::{Path, Request, State};
use axum::response::Response;
use millrace_contracts::ExecutionId;

use super::workflows::parse_id;
use crate::context::RequestContext;
use crate::middleware::Admission;
use crate::params::Params;
use crate::problem::Problem;
use crate::state::App;
use crate::submit::{self, Asked, Submission, Target, Visit};

/// Runs a saved workflow at its newest version.
pub(crate) async fn saved(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    params: Params,
    request: Request,
) -> Result<Response, Problem> {
    let target = Target::saved(&app, parse_id(&id)?).await?;
    run(&app, params, request, Some(target)).await
}

/// Runs the definition in the request.
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
    let (context, admission) = (RequestContext::find(&request)?, Admission::find(&request)?);
    let params = params.only(&["wait"])?;
    let wait = params.text("wait").map(|text| submit::parse_wait(text, app.settings.max_wait)).transpose()?;
    let key = submit::idempotency_key(request.headers())?.map(|key| format!("run:{key}"));
    let draft = submit::read(app, request, target).await?;
    let visit = Visit { target: &draft.target, options: &draft.options, count: 1, key: key.as_deref() };
    app.door.admit(app, visit).await?;
    let input = submit::resolve(app, &draft.target.compiled, draft.input, "/input").await?;
    drop(draft.memory);
    let id = ExecutionId::generate();
    // Before the run can begin, so that nothing of it is missed.
    let topic = wait.map(|wait| (wait, app.hub.subscribe(id)));
    let submission = Submission {
        id,
        target: draft.target,
        input,
        options: draft.options,
        trace: *context.trace(),
        batch_id: None,
        schedule_id: None,
        rerun_of: None,
    };
    let receipt = match key {
        None => submit::accept(app, submission).await?,
        Some(key) => submit::accept_keyed(app, submission, key).await?,
    };
    // A request sent again waits for the run it made the first time.
    let wait = topic
        .map(|(wait, topic)| (wait, if receipt.id == id { topic } else { app.hub.subscribe(receipt.id) }));
    submit::respond(app, receipt, Asked { wait, admission }).await
}
