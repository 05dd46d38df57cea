//! One cue: a schedule fires, or one of its runs ended and a firing that waits may start. Everything here may happen twice, or on
//! two replicas at once: the run's id follows from the firing, and `next_at` in the row is moved by one of them.

use std::time::Duration;

use metrics::counter;
use millrace_contracts::schedule::{Cue, CueReason};
use millrace_contracts::{ExecutionId, ScheduleId, UnixMillis};
use millrace_engine::Meta;
use millrace_schedule::{Decision, Rhythm, decide, jittered};
use millrace_store::{Firing, FiringOutcome, ScheduleRecord};

use super::start::start;
use crate::OrchestratorError;
use crate::role::Shared;

/// Looks at a schedule because of `cue`; answers what came of it, for the metrics.
pub(super) async fn handle(shared: &Shared, cue: &Cue) -> Result<&'static str, OrchestratorError> {
    match cue.reason {
        CueReason::Due(due) => fire(shared, cue.schedule_id, due).await,
        CueReason::Ended(run) => release(shared, cue.schedule_id, Some(run)).await,
    }
}

async fn fire(shared: &Shared, id: ScheduleId, due: UnixMillis) -> Result<&'static str, OrchestratorError> {
    let Some(firing) = shared.store.schedules().firing(id).await? else { return Ok("gone") };
    let schedule = &firing.schedule;
    if schedule.next_at != Some(due) {
        // It was handled before, or the schedule was changed. Whoever did that may have died before it set the timer.
        set_timer(shared, schedule, schedule.next_at).await?;
        return Ok("outdated");
    }
    let run = ExecutionId::of_firing(id, due);
    let busy = is_busy(shared, &firing, &[run]).await?;
    let outcome = match decide(schedule.spec.overlap, busy, schedule.waiting_at.is_some()) {
        Decision::Start => start(shared, &firing, run).await?,
        Decision::Wait => FiringOutcome::Waiting,
        Decision::Skip => FiringOutcome::Skipped,
    };
    // What was missed between `due` and now is left out: the next firing is in the future.
    let now = UnixMillis::now();
    let next = Rhythm::parse(&schedule.spec.cron, &schedule.spec.timezone, now)
        .ok()
        .and_then(|rhythm| rhythm.next_after(now.max(due)));
    if !shared.store.schedules().fired(id, due, &outcome, next).await? {
        return Ok("outdated");
    }
    note(id, due, &outcome);
    set_timer(shared, schedule, next).await?;
    if outcome == FiringOutcome::Waiting {
        // The run it waits for may have ended before anybody knew that something waits.
        release(shared, id, None).await?;
    }
    Ok("handled")
}

/// Starts the firing that waits, if there is one and nothing is in its way any more; `ended` is known to have ended.
pub(super) async fn release(
    shared: &Shared,
    id: ScheduleId,
    ended: Option<ExecutionId>,
) -> Result<&'static str, OrchestratorError> {
    let Some(firing) = shared.store.schedules().firing(id).await? else { return Ok("gone") };
    let Some(due) = firing.schedule.waiting_at else { return Ok("nothing_waits") };
    let run = ExecutionId::of_firing(id, due);
    let mut known: Vec<ExecutionId> = ended.into_iter().collect();
    known.push(run);
    if is_busy(shared, &firing, &known).await? {
        return Ok("still_busy");
    }
    let outcome = start(shared, &firing, run).await?;
    shared.store.schedules().waited(id, due, &outcome).await?;
    note(id, due, &outcome);
    Ok("released")
}

/// Whether a run of the schedule goes on, `known` ones left out. The record may be behind, so Redis is asked too: a run without
/// live state is one that is still to be begun.
async fn is_busy(shared: &Shared, firing: &Firing, known: &[ExecutionId]) -> Result<bool, OrchestratorError> {
    let mut open = firing.unfinished.clone();
    open.retain(|run| !known.contains(run));
    if open.is_empty() {
        return Ok(false);
    }
    let metas = shared.bus.fields(&open, Meta::FIELD).await?;
    Ok(metas.into_iter().any(|meta| {
        let meta = meta.and_then(|bytes| serde_json::from_slice::<Meta>(&bytes).ok());
        meta.is_none_or(|meta| !meta.status.is_terminal())
    }))
}

async fn set_timer(
    shared: &Shared,
    schedule: &ScheduleRecord,
    next: Option<UnixMillis>,
) -> Result<(), OrchestratorError> {
    let Some(due) = next else { return Ok(()) };
    let jitter = Duration::from_millis(schedule.spec.jitter_ms);
    let at = jittered(schedule.id, due, jitter);
    let cue = Cue { schedule_id: schedule.id, reason: CueReason::Due(due) };
    shared.bus.set_cues(&[(at, cue)]).await?;
    shared.alarms.notice(at);
    Ok(())
}

fn note(id: ScheduleId, due: UnixMillis, outcome: &FiringOutcome) {
    counter!("millrace_orchestrator_schedule_firings_total", "outcome" => outcome.as_str()).increment(1);
    if let FiringOutcome::Failed(reason) = outcome {
        tracing::warn!(schedule.id = %id, schedule.due = %due.to_rfc3339(), reason, "a schedule fired and could not start its run");
    }
}
