//! A schedule as clients are shown it. Times are milliseconds since the Unix epoch, as everywhere.

use millrace_contracts::job::Priority;
use millrace_contracts::schedule::Overlap;
use millrace_contracts::{ExecutionId, ExecutionStatus, Pool, ScheduleId, UnixMillis, WorkflowId};
use millrace_schedule::Rhythm;
use millrace_store::{LastRun, ScheduleRecord};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::view::images_as_links;

/// Firings shown ahead.
const UPCOMING: usize = 5;

/// A schedule with what it did last and what it does next.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Schedule {
    id: ScheduleId,
    workflow_id: WorkflowId,
    enabled: bool,
    /// Rises with every change; the ETag.
    revision: u32,
    cron: String,
    /// IANA name.
    timezone: String,
    overlap: Overlap,
    /// The workflow's version that is run; the newest when none.
    version: Option<u32>,
    input: Map<String, Value>,
    priority: Priority,
    pool: Option<Pool>,
    labels: Map<String, Value>,
    timeout_ms: Option<u64>,
    callback_url: Option<String>,
    jitter_ms: u64,
    /// When it fires next; none while it is switched off.
    next_at: Option<UnixMillis>,
    /// The next firings.
    upcoming: Vec<UnixMillis>,
    /// The firing that waits for an earlier run's end.
    waiting_at: Option<UnixMillis>,
    last: Option<LastFiring>,
    last_run: Option<LastRunView>,
    created_at: UnixMillis,
    updated_at: UnixMillis,
    links: ScheduleLinks,
}

/// What the last firing came to.
#[derive(Debug, Serialize, ToSchema)]
struct LastFiring {
    at: UnixMillis,
    outcome: Option<String>,
    error: Option<String>,
}

/// The newest run of a schedule.
#[derive(Debug, Serialize, ToSchema)]
struct LastRunView {
    execution_id: ExecutionId,
    status: ExecutionStatus,
    created_at: UnixMillis,
    completed_at: Option<UnixMillis>,
    url: String,
}

#[derive(Debug, Serialize, ToSchema)]
struct ScheduleLinks {
    #[serde(rename = "self")]
    own: String,
    workflow: String,
    trigger: String,
}

/// The page of a schedule.
pub(crate) fn view(schedule: &ScheduleRecord, last_run: Option<&LastRun>) -> Schedule {
    let own = format!("/api/v1/schedules/{}", schedule.id);
    let spec = schedule.spec.clone();
    let mut input = spec.input;
    input.values_mut().for_each(images_as_links);
    Schedule {
        id: schedule.id,
        workflow_id: schedule.workflow_id,
        enabled: schedule.enabled,
        revision: schedule.revision,
        cron: spec.cron,
        timezone: spec.timezone,
        overlap: spec.overlap,
        version: spec.version,
        input,
        priority: spec.priority,
        pool: spec.pool,
        labels: spec.labels,
        timeout_ms: spec.timeout_ms,
        callback_url: spec.callback_url,
        jitter_ms: spec.jitter_ms,
        next_at: schedule.next_at,
        upcoming: upcoming(schedule),
        waiting_at: schedule.waiting_at,
        last: schedule.last_at.map(|at| LastFiring {
            at,
            outcome: schedule.last_outcome.clone(),
            error: schedule.last_error.clone(),
        }),
        last_run: last_run.map(|run| LastRunView {
            execution_id: run.id,
            status: run.status,
            created_at: run.created_at,
            completed_at: run.completed_at,
            url: format!("/api/v1/executions/{}", run.id),
        }),
        created_at: schedule.created_at,
        updated_at: schedule.updated_at,
        links: ScheduleLinks {
            workflow: format!("/api/v1/workflows/{}", schedule.workflow_id),
            trigger: format!("{own}/trigger"),
            own,
        },
    }
}

/// The next firings, the first of them the one that is noted.
fn upcoming(schedule: &ScheduleRecord) -> Vec<UnixMillis> {
    let Some(next) = schedule.next_at else { return Vec::new() };
    let rhythm = Rhythm::parse(&schedule.spec.cron, &schedule.spec.timezone, next);
    let later = rhythm.map(|rhythm| rhythm.upcoming(next, UPCOMING - 1)).unwrap_or_default();
    std::iter::once(next).chain(later).collect()
}
