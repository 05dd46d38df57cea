//! Runs in a list: what the record says and, of those that had not ended by then, what the live state knows better. The record is a
//! moment behind, and who has just seen a run end looks for it in the list.

use std::collections::HashMap;
use std::time::Duration;

use millrace_contracts::message::RerunOf;
use millrace_contracts::{ExecutionId, ExecutionStatus, ScheduleId, UnixMillis, WorkflowId};
use millrace_engine::Meta;
use millrace_store::ExecutionSummary;
use millrace_tasks::within;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;
use uuid::Uuid;

use super::find::jobs_of;
use super::links::{Links, links};
use super::run::Counters;
use crate::problem::Problem;
use crate::state::App;

/// Longest a list waits for the live states; without them it is a moment behind.
const LIVE_WAIT: Duration = Duration::from_millis(250);

/// A run in a list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ExecutionRow {
    execution_id: ExecutionId,
    /// None for a run of an unsaved definition.
    workflow_id: Option<WorkflowId>,
    /// The workflow's version that is run.
    version: Option<u32>,
    /// The saved workflow's name as it is now, or the one in an unsaved definition.
    workflow_name: Option<String>,
    pub(crate) status: ExecutionStatus,
    /// The caller's labels.
    labels: Map<String, Value>,
    created_at: UnixMillis,
    started_at: Option<UnixMillis>,
    completed_at: Option<UnixMillis>,
    /// From accepted to ended, milliseconds.
    duration_ms: Option<u64>,
    error_message: Option<String>,
    batch_id: Option<Uuid>,
    /// The schedule that started it.
    #[serde(skip_serializing_if = "Option::is_none")]
    schedule_id: Option<ScheduleId>,
    /// The run that it repeats.
    #[serde(skip_serializing_if = "Option::is_none")]
    rerun_of: Option<RerunOf>,
    #[serde(flatten)]
    jobs: Counters,
    links: Links,
}

/// The runs of a page, as they stand.
pub(crate) async fn rows(app: &App, mut page: Vec<ExecutionSummary>) -> Result<Vec<ExecutionRow>, Problem> {
    let ids: Vec<ExecutionId> = page.iter().map(|run| run.id).collect();
    let mut names = HashMap::new();
    if !ids.is_empty() {
        names = app.store.executions().workflow_names(&ids).await?;
    }
    let open = page.iter_mut().filter(|run| !run.status.is_terminal());
    let open: Vec<&mut ExecutionSummary> = open.collect();
    let ids: Vec<ExecutionId> = open.iter().map(|run| run.id).collect();
    if !ids.is_empty() {
        match within(LIVE_WAIT, app.bus.fields(&ids, Meta::FIELD)).await {
            Ok(live) => open.into_iter().zip(live).for_each(|(run, live)| update(run, live)),
            Err(error) => tracing::debug!(error, "a list of runs shows what the record says"),
        }
    }
    Ok(page.into_iter().map(|run| row(names.remove(&run.id), run)).collect())
}

/// What the live state knows better, where the run has one.
fn update(run: &mut ExecutionSummary, live: Option<Vec<u8>>) {
    let Some(live) = live.and_then(|bytes| serde_json::from_slice::<Meta>(&bytes).ok()) else { return };
    run.status = live.status;
    run.jobs = jobs_of(&live);
    run.started_at = live.started_at;
    run.completed_at = live.completed_at;
    run.duration_ms = live.completed_at.map(|ended| ended.since(run.created_at));
    run.error_message = live.error.map(|error| error.message);
}

fn row(workflow_name: Option<String>, run: ExecutionSummary) -> ExecutionRow {
    ExecutionRow {
        execution_id: run.id,
        workflow_id: run.workflow_id,
        version: run.version,
        workflow_name,
        status: run.status,
        labels: run.labels,
        created_at: run.created_at,
        started_at: run.started_at,
        completed_at: run.completed_at,
        duration_ms: run.duration_ms,
        error_message: run.error_message,
        batch_id: run.batch_id,
        schedule_id: run.schedule_id,
        rerun_of: run.rerun_of,
        jobs: run.jobs.into(),
        links: links(run.id),
    }
}
