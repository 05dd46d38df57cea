//! `POST /workflows/{id}/run` and `POST /executions`: one run, of a saved workflow or of a definition that comes along.

use std::sync::Arc;

use axum::extract::{Path, Request, State};
use axum::response::Response;
use millrace_contracts::WorkflowId;

use super::workflows::parse_id;
use crate::openapi::described::{InlineRunRequest, RunForm, RunRequest};
use crate::openapi::runs::{PicturesQuery, StartHeaders, StartQuery, Started, VersionQuery};
use crate::params::Params;
use crate::problem::Problem;
use crate::state::App;
use crate::submit::{self, Ask, Earlier, Ready, Source, Target};

/// Run a saved workflow at its newest version, or at the one that is named
///
/// Files of a form are named after inputs. With `wait` the answer is held until the run ends.
#[utoipa::path(
    post, path = "/api/v1/workflows/{id}/run", operation_id = "run_workflow", tag = "executions",
    params(("id" = WorkflowId, Path), VersionQuery, StartQuery, PicturesQuery, StartHeaders),
    request_body(content((RunRequest = "application/json"), (RunForm = "multipart/form-data"))),
    responses(Started),
)]
pub(crate) async fn saved(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    mut params: Params,
    request: Request,
) -> Result<Response, Problem> {
    let (id, version) = (parse_id(&id)?, params.take_version()?);
    let ask = Ask::read(&app, params, &request, "run")?;
    let earlier = ask.earlier(&app).await?;
    let target = match earlier.as_ref().and_then(|earlier| earlier.of(Some(id))) {
        Some(target) => target.clone(),
        None => Target::version(&app, id, version).await?,
    };
    run(&app, (ask, earlier), request, (Source::Saved(target), version)).await
}

/// Run a definition that comes along
///
/// In a form the part `request` comes first.
#[utoipa::path(
    post, path = "/api/v1/executions", operation_id = "run_definition", tag = "executions",
    params(StartQuery, PicturesQuery, StartHeaders),
    request_body(content((InlineRunRequest = "application/json"), (RunForm = "multipart/form-data"))),
    responses(Started),
)]
pub(crate) async fn inline(
    State(app): State<Arc<App>>,
    params: Params,
    request: Request,
) -> Result<Response, Problem> {
    let ask = Ask::read(&app, params, &request, "run")?;
    let earlier = ask.earlier(&app).await?;
    let again = earlier.as_ref().and_then(|earlier| earlier.of(None)).cloned();
    run(&app, (ask, earlier), request, (again.map_or(Source::Inline, Source::Again), None)).await
}

async fn run(
    app: &Arc<App>,
    (ask, earlier): (Ask, Option<Earlier>),
    request: Request,
    (source, version): (Source, Option<u32>),
) -> Result<Response, Problem> {
    let draft = submit::read(app, request, source).await?;
    let ask = ask.about(|| draft.digest().version(version));
    if let Some(earlier) = earlier {
        drop(draft);
        let (receipt, outcome) = ask.again(app, earlier).await?;
        return submit::respond(&receipt, &outcome);
    }
    ask.admit(app, &draft.target, &draft.options).await?;
    let input = submit::resolve(app, &draft.target.compiled, draft.input, "/input").await?;
    drop(draft.memory);
    let ready = Ready { target: draft.target, input, options: draft.options, rerun_of: None };
    ask.submit(app, ready).await
}
