//! `/workflows/{id}/schedules` and `/schedules/{id}`: runs by the clock. If-Match keeps two editors from undoing each other.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use millrace_contracts::fault::pointer_token;
use millrace_contracts::schedule::{Cue, CueReason};
use millrace_contracts::{ExecutionId, Fault, Faults, ScheduleId, WorkflowId};
use millrace_schedule::jittered;
use millrace_store::{ScheduleLimits, ScheduleRecord};
use serde::Serialize;
use utoipa::ToSchema;

use super::workflows;
use crate::body;
use crate::context::RequestContext;
use crate::etag;
use crate::fields;
use crate::middleware::Admission;
use crate::openapi::described::ScheduleRequest;
use crate::problem::{Code, Problem};
use crate::schedules::{Schedule, options, read, view};
use crate::state::App;
use crate::submit::{self, Asked, RunAccepted, Submission, Target, Visit};

/// A timer that cannot be set in this time is set by the orchestrators, which compare.
const TIMER_WAIT: Duration = Duration::from_secs(1);

/// Bytes of the body of a trigger, which holds nothing.
const MAX_TRIGGER_BYTES: u64 = 16 * 1024;

/// The schedules of a workflow.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Schedules {
    schedules: Vec<Schedule>,
}

/// Make a schedule of a workflow
#[utoipa::path(
    post, path = "/api/v1/workflows/{id}/schedules", operation_id = "create_schedule", tag = "schedules",
    params(("id" = WorkflowId, Path)),
    request_body = ScheduleRequest,
    responses((status = 201, description = "Made.", body = Schedule, headers(("ETag" = String), ("Location" = String)))),
)]
pub(crate) async fn create(
    State(app): State<Arc<App>>,
    Path(workflow): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    let workflow = workflows::parse_id(&workflow)?;
    let new = read(&app, request, workflow).await?;
    let limits = ScheduleLimits {
        per_workflow: app.settings.max_schedules_per_workflow,
        total: app.settings.max_schedules,
    };
    let schedule = app.store.schedules().create(ScheduleId::generate(), workflow, &new, limits).await?;
    set_timer(&app, &schedule).await;
    let location = format!("/api/v1/schedules/{}", schedule.id);
    let mut response = (StatusCode::CREATED, answer(&app, &schedule).await?).into_response();
    response
        .headers_mut()
        .insert(header::LOCATION, HeaderValue::try_from(location).map_err(Problem::internal)?);
    Ok(response)
}

/// List the schedules of a workflow, newest first
///
/// Their number is limited, so there are no pages.
#[utoipa::path(
    get, path = "/api/v1/workflows/{id}/schedules", operation_id = "list_schedules", tag = "schedules",
    params(("id" = WorkflowId, Path)),
    responses((status = 200, description = "All of them.", body = Schedules)),
)]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    Path(workflow): Path<String>,
) -> Result<Json<Schedules>, Problem> {
    let schedules = app.store.schedules().list(workflows::parse_id(&workflow)?).await?;
    let ids: Vec<_> = schedules.iter().map(|schedule| schedule.id).collect();
    let last = app.store.schedules().last_runs(&ids).await?;
    let rows = schedules.iter().map(|schedule| view(schedule, last.get(&schedule.id)));
    Ok(Json(Schedules { schedules: rows.collect() }))
}

/// Show a schedule
#[utoipa::path(
    get, path = "/api/v1/schedules/{id}", operation_id = "get_schedule", tag = "schedules",
    params(("id" = ScheduleId, Path)),
    responses((status = 200, description = "The schedule.", body = Schedule, headers(("ETag" = String)))),
)]
pub(crate) async fn show(State(app): State<Arc<App>>, Path(id): Path<String>) -> Result<Response, Problem> {
    let schedule = app.store.schedules().get(parse_id(&id)?).await?;
    answer(&app, &schedule).await
}

/// Change a schedule; what is left out takes its default again
#[utoipa::path(
    put, path = "/api/v1/schedules/{id}", operation_id = "replace_schedule", tag = "schedules",
    params(("id" = ScheduleId, Path), ("If-Match" = Option<String>, Header, description = "The ETag of what is replaced.")),
    request_body = ScheduleRequest,
    responses((status = 200, description = "Changed.", body = Schedule, headers(("ETag" = String)))),
)]
pub(crate) async fn replace(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    let (id, expected) = (parse_id(&id)?, etag::if_match(request.headers())?);
    let before = app.store.schedules().get(id).await?;
    let new = read(&app, request, before.workflow_id).await?;
    let schedule = app.store.schedules().put(id, expected, &new).await?;
    if before.next_at != schedule.next_at {
        drop_timer(&app, &before).await;
    }
    set_timer(&app, &schedule).await;
    answer(&app, &schedule).await
}

/// Delete a schedule; its runs stay
#[utoipa::path(
    delete, path = "/api/v1/schedules/{id}", operation_id = "delete_schedule", tag = "schedules",
    params(("id" = ScheduleId, Path), ("If-Match" = Option<String>, Header)),
    responses((status = 204, description = "Deleted.")),
)]
pub(crate) async fn delete(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<StatusCode, Problem> {
    let (id, expected) = (parse_id(&id)?, etag::if_match(&headers)?);
    let before = app.store.schedules().get(id).await?;
    app.store.schedules().delete(id, expected).await?;
    drop_timer(&app, &before).await;
    Ok(StatusCode::NO_CONTENT)
}

/// Start a run of a schedule now
///
/// Whatever its policy for overlaps; the rhythm goes on as before. The run is as the schedule says: there is nothing to send.
#[utoipa::path(
    post, path = "/api/v1/schedules/{id}/trigger", operation_id = "trigger_schedule", tag = "schedules",
    params(("id" = ScheduleId, Path)),
    responses((status = 202, description = "Accepted.", body = RunAccepted, headers(("Location" = String, description = "The execution.")))),
)]
pub(crate) async fn trigger(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    let (context, admission) = (RequestContext::find(&request)?, Admission::find(&request)?);
    let id = parse_id(&id)?;
    nothing_sent(&app, request).await?;
    let schedule = app.store.schedules().get(id).await?;
    let spec = schedule.spec;
    let target = Target::version(&app, schedule.workflow_id, spec.version).await?;
    let options = options(&spec);
    app.door.admit(&app, Visit { target: &target, options: &options, count: 1 }).await?;
    let input = if target.version == Some(spec.checked_version) {
        spec.input
    } else {
        submit::resolve(&app, &target.compiled, spec.input, "/input").await?
    };
    let submission = Submission {
        id: ExecutionId::generate(),
        target,
        input,
        options,
        trace: *context.trace(),
        batch_id: None,
        schedule_id: Some(schedule.id),
        rerun_of: None,
    };
    let receipt = submit::accept(&app, submission).await?;
    let outcome = submit::outcome(&app, &receipt, Asked::at_once(admission)).await;
    submit::respond(&receipt, &outcome)
}

fn parse_id(text: &str) -> Result<ScheduleId, Problem> {
    text.parse().map_err(|_| Problem::not_found("schedule", text))
}

async fn answer(app: &App, schedule: &ScheduleRecord) -> Result<Response, Problem> {
    let last = app.store.schedules().last_runs(&[schedule.id]).await?;
    let body = view(schedule, last.get(&schedule.id));
    Ok(([(header::ETAG, etag::of_version(schedule.revision))], Json(body)).into_response())
}

/// Refuses a body that says something: the caller would believe that it was heeded.
async fn nothing_sent(app: &App, request: Request) -> Result<(), Problem> {
    let fields = body::object_if_any(app, request, MAX_TRIGGER_BYTES).await?.unwrap_or_default();
    let faults = fields.keys().map(|name| {
        let message = format!("there is no field {:?} here", fields::cut(name));
        let fault = Fault::new("UNKNOWN_FIELD", format!("/{}", pointer_token(name)), message);
        fault.hint("the run is as the schedule says; change that, or run its workflow")
    });
    Faults(faults.collect()).or(()).map_err(|faults| Problem::faults(Code::InvalidRequest, faults))
}

/// Removes the timer of what the schedule was before. One that stays finds its schedule changed, and does nothing.
async fn drop_timer(app: &App, before: &ScheduleRecord) {
    let Some(due) = before.next_at else { return };
    let cues = [Cue { schedule_id: before.id, reason: CueReason::Due(due) }];
    let dropped = tokio::time::timeout(TIMER_WAIT, app.bus.drop_cues(&cues)).await;
    if !matches!(dropped, Ok(Ok(()))) {
        tracing::debug!(schedule.id = %before.id, "the old timer of a schedule stays until it is due");
    }
}

/// Sets the timer of the next firing. Timers of what it was before find their schedule changed, and do nothing.
async fn set_timer(app: &App, schedule: &ScheduleRecord) {
    let Some(due) = schedule.next_at else { return };
    let at = jittered(schedule.id, due, Duration::from_millis(schedule.spec.jitter_ms));
    let cues = [(at, Cue { schedule_id: schedule.id, reason: CueReason::Due(due) })];
    let set = tokio::time::timeout(TIMER_WAIT, app.bus.set_cues(&cues)).await;
    if !matches!(set, Ok(Ok(()))) {
        tracing::warn!(schedule.id = %schedule.id, "the timer of a schedule could not be set; the orchestrators will");
    }
}
