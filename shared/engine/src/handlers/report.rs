//! A worker's report. The attempt is the fencing token: a report on any other attempt than the current one is void.

use millrace_contracts::job::{JobOutcome, JobReport};
use millrace_contracts::{
    ErrorKind, EventType, FollowUpReport, ItemPath, JobError, JobMetrics, NodeId, NodeStatus, UnixMillis,
    WorkerId,
};
use serde_json::json;

use crate::effects::Noop;
use crate::execution::{Execution, RunKey};

/// Which attempt a report is about.
pub(crate) struct About {
    pub(crate) node_id: NodeId,
    pub(crate) path: ItemPath,
    pub(crate) attempt: u32,
    /// Whether it tells of the start too.
    pub(crate) with_start: bool,
}

pub(crate) fn handle(
    run: &mut Execution,
    about: About,
    (report, then): (JobReport, Vec<FollowUpReport>),
    now: UnixMillis,
) {
    let with_start = about.with_start;
    let key = match current(run, about) {
        Ok(key) => key,
        Err(noop) => {
            run.effects.noop = Some(noop);
            return;
        }
    };
    if matches!(report.outcome, JobOutcome::Started) {
        taken(run, &key, &report, now);
        return;
    }
    if with_start && !is_begun(run, &key, &report) {
        begun(run, &key, &report, now);
    }
    run.note_answers(&key.path, then);
    ended(run, &key, report, now);
}

/// The attempt is over.
pub(crate) fn ended(run: &mut Execution, key: &RunKey, report: JobReport, now: UnixMillis) {
    let JobReport { worker_id, started_at, ended_at, model_id, outcome, .. } = report;
    match outcome {
        JobOutcome::Started => {}
        JobOutcome::Completed { outputs, metrics, warnings } => {
            if let Err(error) = run.pin_model(model_id.as_ref(), metrics.model_digest.as_ref()) {
                failed(run, key, (worker_id, started_at, metrics), error, now);
                return;
            }
            run.meta.jobs_completed += 1;
            run.note_made(key, metrics.model_digest.as_ref());
            let record = run.record(key);
            record.worker_id = Some(worker_id);
            record.started_at = Some(started_at);
            record.completed_at = ended_at;
            record.metrics = Some(*metrics);
            record.warnings = warnings;
            record.error = None;
            run.complete(key, outputs, Vec::new(), now);
        }
        JobOutcome::Failed { error, metrics } => {
            failed(run, key, (worker_id, started_at, metrics), error, now);
        }
    }
}

/// The attempt gave nothing that can be used.
fn failed(
    run: &mut Execution,
    key: &RunKey,
    (worker, started_at, metrics): (WorkerId, UnixMillis, Box<JobMetrics>),
    error: JobError,
    now: UnixMillis,
) {
    let record = run.record(key);
    record.worker_id = Some(worker);
    record.started_at = Some(started_at);
    record.metrics = Some(*metrics);
    let status = if error.kind == ErrorKind::Timeout { NodeStatus::TimedOut } else { NodeStatus::Failed };
    attempt_failed(run, key, status, error, now);
}

fn current(run: &Execution, about: About) -> Result<RunKey, Noop> {
    let node = run.plan.find(&about.node_id).ok_or(Noop::Unknown)?;
    let key = RunKey::new(node, about.path);
    let record = run.nodes.get(&key).ok_or(Noop::Unknown)?;
    if record.status.is_terminal() {
        return Err(Noop::Duplicate);
    }
    if record.attempt != about.attempt || !record.at_pool {
        return Err(Noop::Stale);
    }
    Ok(key)
}

/// A worker took the job; or another one did, later, because the first went away.
fn taken(run: &mut Execution, key: &RunKey, report: &JobReport, now: UnixMillis) {
    if is_begun(run, key, report) {
        run.effects.noop = Some(Noop::Duplicate);
        return;
    }
    begun(run, key, report, now);
}

/// Whether it is known that work on the attempt began, then or later.
fn is_begun(run: &Execution, key: &RunKey, report: &JobReport) -> bool {
    let record = &run.nodes[key];
    record.status == NodeStatus::Running && record.started_at >= Some(report.started_at)
}

/// Work on the attempt has begun.
pub(crate) fn begun(run: &mut Execution, key: &RunKey, report: &JobReport, now: UnixMillis) {
    let record = run.record(key);
    record.status = NodeStatus::Running;
    record.started_at = Some(report.started_at);
    record.worker_id = Some(report.worker_id.clone());
    let data = json!({
        "attempt": record.attempt, "started_at": report.started_at, "worker_id": report.worker_id,
        "model_id": report.model_id,
    });
    run.emit_live(EventType::NodeStarted, key, now, data);
}

/// An attempt is over without a result: another follows, or the node run has failed.
pub(crate) fn attempt_failed(
    run: &mut Execution,
    key: &RunKey,
    status: NodeStatus,
    error: JobError,
    now: UnixMillis,
) {
    run.meta.jobs_failed += 1;
    match run.next_attempt_at(key, &error, now) {
        Some(due) => run.retry_at(key, error, due, now),
        None => run.fail_node_as(key, status, error, now),
    }
}
