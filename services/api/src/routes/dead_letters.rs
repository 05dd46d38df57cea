//! `/dead-letters`: what the orchestrators could not read, what the writer could not, and what Postgres would not take, in one list,
//! each with the reason. For operators, who may have one tried again: after an upgrade, or when what was in its way is gone.

use std::cmp::Reverse;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use millrace_bus::{Buried, BuriedAt, BuriedIn, Redone};
use millrace_contracts::{Event, ExecutionId, UnixMillis};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::params::Params;
use crate::patience::patiently;
use crate::problem::{Code, Problem};
use crate::state::App;

/// What the id of a letter in the record begins with; the event's id follows.
const RECORD: &str = "record:";

/// Whose a dead letter was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Origin {
    /// The orchestrators could not read it in their inbox.
    Inbox,
    /// The writer could not read it.
    Events,
    /// Postgres would not take it, or what follows from it.
    Record,
}

/// What was set aside, so that it holds up nothing else.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DeadLetter {
    /// What to name it by.
    id: String,
    origin: Origin,
    /// Its run, where it names one.
    execution_id: Option<ExecutionId>,
    /// The channel of its event, or the kind of its message, where it names one.
    kind: Option<String>,
    /// What it says: JSON, if it reads.
    content: String,
    /// Why it is here.
    reason: String,
    /// Since when.
    created_at: UnixMillis,
    /// Whether it can be tried again: what was kept is all that it was.
    redoable: bool,
}

/// The newest dead letters.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DeadLetters {
    dead_letters: Vec<DeadLetter>,
}

/// A dead letter that is tried again.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DeadLetterRedone {
    id: String,
    origin: Origin,
}

/// List what could not be read or recorded, newest first
#[utoipa::path(
    get, path = "/api/v1/dead-letters", operation_id = "list_dead_letters", tag = "fleet",
    params(("limit" = Option<u32>, Query, minimum = 1, maximum = 200)),
    responses((status = 200, description = "The newest of them.", body = DeadLetters)),
    security(("api_key" = ["admin"])),
)]
pub(crate) async fn list(State(app): State<Arc<App>>, params: Params) -> Result<Json<DeadLetters>, Problem> {
    let limit = params.only(&["limit"])?.limit(50, 200)?;
    let buried = patiently(app.bus.buried(limit as usize)).await?;
    let recorded = app.store.dead_letters().list(limit).await?;
    let mut dead_letters: Vec<DeadLetter> =
        buried.into_iter().map(DeadLetter::from).chain(recorded.into_iter().map(DeadLetter::from)).collect();
    dead_letters.sort_by_key(|letter| Reverse(letter.created_at));
    dead_letters.truncate(limit as usize);
    Ok(Json(DeadLetters { dead_letters }))
}

/// Have a dead letter tried again
///
/// It goes back to whoever could not deal with it. That repeats nothing that was done: messages are checked against their run, and
/// events are recorded by their own key. What is refused again becomes a letter again.
#[utoipa::path(
    post, path = "/api/v1/dead-letters/{id}/redo", operation_id = "redo_dead_letter", tag = "fleet",
    params(("id" = String, Path, description = "As the list tells it.", example = "inbox:3:1773140400000-0")),
    responses((status = 202, description = "It is tried again.", body = DeadLetterRedone)),
    security(("api_key" = ["admin"])),
)]
pub(crate) async fn redo(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    params: Params,
) -> Result<(StatusCode, Json<DeadLetterRedone>), Problem> {
    params.only(&[])?;
    let origin = match id.strip_prefix(RECORD) {
        Some(event_id) => record_again(&app, event_id).await?,
        None => read_again(&app, &id).await?,
    };
    Ok((StatusCode::ACCEPTED, Json(DeadLetterRedone { id, origin })))
}

async fn read_again(app: &App, id: &str) -> Result<Origin, Problem> {
    let unknown = || Problem::not_found("dead letter", id);
    let at: BuriedAt = id.parse().map_err(|_| unknown())?;
    match patiently(app.bus.redo(&at)).await? {
        Redone::PutBack => Ok(at.kind.into()),
        Redone::Unknown => Err(unknown()),
        Redone::NotWhole => Err(not_whole()),
    }
}

/// The writer gets the event first: whatever breaks off in between, the letter or the event is there.
async fn record_again(app: &App, event_id: &str) -> Result<Origin, Problem> {
    let letter = app.store.dead_letters().get(event_id).await?;
    let event: Event = serde_json::from_str(&letter.event).map_err(|_| not_whole())?;
    patiently(app.bus.note(&[event])).await?;
    app.store.dead_letters().forget(&letter).await?;
    Ok(Origin::Record)
}

fn not_whole() -> Problem {
    Problem::new(
        Code::NotRedoable,
        "what was kept of this dead letter is not the whole of it, or not of a form known here; it stays for you to read",
    )
}

impl From<BuriedIn> for Origin {
    fn from(kind: BuriedIn) -> Self {
        match kind {
            BuriedIn::Inbox => Self::Inbox,
            BuriedIn::Events => Self::Events,
        }
    }
}

impl From<Buried> for DeadLetter {
    fn from(letter: Buried) -> Self {
        // As far as it reads: a message and an event name their run and their kind differently.
        let said: Value = serde_json::from_str(&letter.content).unwrap_or_default();
        let named = |names: [&str; 2]| names.into_iter().find_map(|name| said[name].as_str());
        Self {
            id: letter.at.to_string(),
            origin: letter.at.kind.into(),
            execution_id: named(["executionid", "execution_id"]).and_then(|id| id.parse().ok()),
            kind: named(["type", "kind"]).map(str::to_owned),
            content: letter.content,
            reason: letter.reason,
            created_at: letter.since,
            redoable: letter.is_whole,
        }
    }
}

impl From<millrace_store::DeadLetter> for DeadLetter {
    fn from(letter: millrace_store::DeadLetter) -> Self {
        Self {
            id: format!("{RECORD}{}", letter.event_id),
            origin: Origin::Record,
            execution_id: letter.execution_id,
            kind: Some(letter.kind),
            redoable: serde_json::from_str::<Event>(&letter.event).is_ok(),
            content: letter.event,
            reason: letter.reason,
            created_at: letter.created_at,
        }
    }
}
