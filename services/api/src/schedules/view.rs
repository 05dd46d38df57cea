//! A schedule as JSON. Times are milliseconds since the Unix epoch, as everywhere.

use millrace_contracts::UnixMillis;
use millrace_schedule::Rhythm;
use millrace_store::{LastRun, ScheduleRecord};
use serde_json::{Value, json};

use crate::view::images_as_links;

/// Firings shown ahead.
const UPCOMING: usize = 5;

/// A schedule with what it did last and what it does next.
pub(crate) fn view(schedule: &ScheduleRecord, last_run: Option<&LastRun>) -> Value {
    let own = format!("/api/v1/schedules/{}", schedule.id);
    let spec = &schedule.spec;
    let mut input = json!(spec.input);
    images_as_links(&mut input);
    json!({
        "id": schedule.id,
        "workflow_id": schedule.workflow_id,
        "enabled": schedule.enabled,
        "revision": schedule.revision,
        "cron": spec.cron,
        "timezone": spec.timezone,
        "overlap": spec.overlap,
        "version": spec.version,
        "input": input,
        "priority": spec.priority,
        "pool": spec.pool,
        "labels": spec.labels,
        "timeout_ms": spec.timeout_ms,
        "jitter_ms": spec.jitter_ms,
        "next_at": schedule.next_at,
        "upcoming": upcoming(schedule),
        "waiting_at": schedule.waiting_at,
        "last": schedule.last_at.map(|at| json!({
            "at": at, "outcome": schedule.last_outcome, "error": schedule.last_error,
        })),
        "last_run": last_run.map(|run| json!({
            "execution_id": run.id, "status": run.status, "created_at": run.created_at,
            "completed_at": run.completed_at, "url": format!("/api/v1/executions/{}", run.id),
        })),
        "created_at": schedule.created_at,
        "updated_at": schedule.updated_at,
        "links": {
            "self": own,
            "workflow": format!("/api/v1/workflows/{}", schedule.workflow_id),
            "trigger": format!("{own}/trigger"),
        },
    })
}

/// The next firings, the first of them the one that is noted.
fn upcoming(schedule: &ScheduleRecord) -> Vec<UnixMillis> {
    let Some(next) = schedule.next_at else { return Vec::new() };
    let rhythm = Rhythm::parse(&schedule.spec.cron, &schedule.spec.timezone, next);
    let later = rhythm.map(|rhythm| rhythm.upcoming(next, UPCOMING - 1)).unwrap_or_default();
    std::iter::once(next).chain(later).collect()
}
