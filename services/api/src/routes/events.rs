//! `GET /executions/{id}/events`: a run's events, pushed (SSE) or as a page of JSON.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use millrace_contracts::ExecutionId;
use millrace_contracts::event::LogPosition;
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::auth::Caller;
use crate::live::{PAGE, RunLog, RunStream, Start, TypeFilter, kind_and_place};
use crate::params::Params;
use crate::problem::Problem;
use crate::sse;
use crate::state::App;
use crate::view;

/// A page of stored events.
#[derive(Debug, Serialize, ToSchema)]
struct EventPage {
    execution_id: ExecutionId,
    /// CloudEvents, each as it was published.
    #[schema(value_type = Vec<millrace_contracts::Event>)]
    events: Vec<Box<RawValue>>,
    /// What to send as `from` for the page after.
    next_from: Option<String>,
}

/// Follow a run, or list what happened
///
/// Server-sent events: a snapshot first, then every event; `Last-Event-ID` goes on where a stream broke off. With `Accept:
/// application/json` the stored events come as pages.
#[utoipa::path(
    get, path = "/api/v1/executions/{id}/events", operation_id = "follow_execution", tag = "events",
    params(
        ("id" = ExecutionId, Path), ("from" = Option<String>, Query, description = "`0` replays the whole run."),
        ("types" = Option<String>, Query, description = "Comma-separated globs.", example = "node.*"),
        ("token" = Option<String>, Query, description = "From `POST /api/v1/session/token`, for clients that cannot set headers."),
        ("Last-Event-ID" = Option<String>, Header),
    ),
    responses((status = 200, description = "The events.", content((String = "text/event-stream"), (EventPage = "application/json")))),
)]
pub(crate) async fn follow(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    params: Params,
    caller: Option<Extension<Caller>>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let id = view::parse_id(&id)?;
    let params = params.only(&["from", "types", "token"])?;
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let start = Start::read(text("last-event-id"), params.text("from"))?;
    let filter = TypeFilter::read(params.text("types"))?;
    if sse::wants_json(text(header::ACCEPT.as_str())) {
        return page(&app, id, start, &filter).await;
    }
    let permit = sse::admit(&app)?;
    // First the topic, then the state: whatever happens in between is in one of them.
    let topic = app.hub.subscribe(id);
    let settings = app.stream_settings(caller.as_deref());
    let opened = RunStream::open(app.history(), topic, start, filter, (settings, permit)).await?;
    let stream = opened.ok_or_else(|| Problem::not_found("execution", id))?;
    Ok(sse::response(stream.into_chunks()))
}

/// A page of stored events, each as it was published. What the filter leaves out of it does not make it longer.
async fn page(app: &App, id: ExecutionId, start: Start, filter: &TypeFilter) -> Result<Response, Problem> {
    let history = app.history();
    let standing = history.standing(id).await?.ok_or_else(|| Problem::not_found("execution", id))?;
    let after = match start {
        Start::Snapshot => LogPosition { seq: 0, ..standing.at },
        Start::Replay(seq) => LogPosition { seq, ..standing.at },
        Start::After(position) => position,
    };
    let texts = history.texts(id, after, standing.at.seq).await?;
    let is_full = texts.len() == PAGE;
    let (mut events, mut last) = (Vec::new(), None);
    for text in texts {
        let Some((kind, place)) = kind_and_place(&text) else { continue };
        last = place.or(last);
        if filter.passes(kind) {
            events.push(RawValue::from_string(text).map_err(Problem::internal)?);
        }
    }
    // From the events and not by counting: a log that was rebuilt goes on in another epoch.
    let next_from = last.filter(|_| is_full).map(|last| last.to_string());
    Ok(Json(EventPage { execution_id: id, events, next_from }).into_response())
}
