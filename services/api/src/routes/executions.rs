//! `GET /executions[/{id}]`: runs, listed and shown.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use millrace_contracts::{ExecutionId, ExecutionStatus, ScheduleId, WorkflowId};
use millrace_store::ExecutionFilter;
use serde::Serialize;
use utoipa::ToSchema;

use crate::cursor::Cursor;
use crate::openapi::runs::PicturesQuery;
use crate::params::{Params, wrong};
use crate::problem::Problem;
use crate::state::App;
use crate::view::{self, Execution, ExecutionRow, Pictures};

const STATUSES: &str = "pending, running, completed, failed, cancelled or timed_out";

const FILTERS: [&str; 10] = [
    "status",
    "workflow_id",
    "label",
    "batch_id",
    "schedule_id",
    "rerun_of",
    "from",
    "to",
    "cursor",
    "limit",
];

/// A page of runs.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ExecutionPage {
    executions: Vec<ExecutionRow>,
    /// What to send as `cursor` for the page after.
    next_cursor: Option<String>,
}

/// List runs, newest first
///
/// Runs that make thumbnails are listed where their label, `millrace:thumbnail`, is asked for.
#[utoipa::path(
    get, path = "/api/v1/executions", operation_id = "list_executions", tag = "executions",
    params(
        ("status" = Option<ExecutionStatus>, Query), ("workflow_id" = Option<WorkflowId>, Query),
        ("label" = Option<String>, Query, description = "`name:value`", example = "team:vision"),
        ("batch_id" = Option<Uuid>, Query), ("schedule_id" = Option<ScheduleId>, Query),
        ("rerun_of" = Option<ExecutionId>, Query),
        ("from" = Option<String>, Query, description = "RFC 3339, or milliseconds since the Unix epoch."),
        ("to" = Option<String>, Query, description = "RFC 3339, or milliseconds since the Unix epoch."),
        ("cursor" = Option<String>, Query), ("limit" = Option<u32>, Query, minimum = 1, maximum = 200),
    ),
    responses((status = 200, description = "A page.", body = ExecutionPage)),
)]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    params: Params,
) -> Result<Json<ExecutionPage>, Problem> {
    let params = params.only(&FILTERS)?;
    let limit = params.limit(50, 200)?;
    let before = params.text("cursor").map(Cursor::decode).transpose()?.map(|cursor| ExecutionId(cursor.0));
    let filter = filter(&params)?;
    let page = app.store.executions().list(&filter, before, limit).await?;
    let last = page.last().filter(|_| page.len() == limit as usize);
    let next = last.map(|last| Cursor(last.id.0).encode());
    let mut executions = view::rows(&app, page).await?;
    // One that the record still has under this status, and that has gone on.
    executions.retain(|run| filter.status.is_none_or(|wanted| run.status == wanted));
    Ok(Json(ExecutionPage { executions, next_cursor: next }))
}

fn filter(params: &Params) -> Result<ExecutionFilter, Problem> {
    Ok(ExecutionFilter {
        status: params.parsed::<ExecutionStatus>("status", STATUSES)?,
        workflow_id: params.parsed::<WorkflowId>("workflow_id", "a workflow's id")?,
        label: params.text("label").map(label).transpose()?,
        batch_id: params.parsed("batch_id", "a batch's id")?,
        schedule_id: params.parsed::<ScheduleId>("schedule_id", "a schedule's id")?,
        rerun_of: params.parsed::<ExecutionId>("rerun_of", "an execution's id")?,
        from: params.time("from")?,
        to: params.time("to")?,
    })
}

/// `name:value`, or `name=value`.
fn label(text: &str) -> Result<(String, String), Problem> {
    let parts = text.split_once([':', '=']).filter(|(name, _)| !name.is_empty());
    let (name, value) =
        parts.ok_or_else(|| wrong("label", text, "a label's name and value, as in team:vision"))?;
    Ok((name.to_owned(), value.to_owned()))
}

/// Show a run as it stands
#[utoipa::path(
    get, path = "/api/v1/executions/{id}", operation_id = "get_execution", tag = "executions",
    params(("id" = ExecutionId, Path), PicturesQuery),
    responses((status = 200, description = "The run.", body = Execution)),
)]
pub(crate) async fn show(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    params: Params,
) -> Result<Json<Execution>, Problem> {
    let pictures = Pictures::read(&params.only(&["images"])?)?;
    let found = view::find(&app, view::parse_id(&id)?).await?;
    Ok(Json(view::execution(&app, found, pictures).await))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_a_name_and_a_value() {
        assert_eq!(label("team:a:b").unwrap(), ("team".into(), "a:b".into()));
        assert_eq!(label("team=a").unwrap(), ("team".into(), "a".into()));
        for text in ["team", ":a", ""] {
            assert!(label(text).is_err(), "{text}");
        }
    }
}
