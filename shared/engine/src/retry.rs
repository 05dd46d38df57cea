//! Whether another attempt follows a failed one, and when.

use std::time::Duration;

use millrace_contracts::definition::Retry;
use millrace_contracts::message::TimerPurpose;
use millrace_contracts::{ErrorKind, EventType, JobError, JobId, NodeStatus, UnixMillis};
use serde_json::json;

use crate::execution::{Agenda, Execution, RunKey};

impl Execution {
    /// When the next attempt of `key` begins after `error`; none when there is none.
    pub(crate) fn next_attempt_at(
        &self,
        key: &RunKey,
        error: &JobError,
        now: UnixMillis,
    ) -> Option<UnixMillis> {
        let record = &self.nodes[key];
        let policy = &self.plan.node(key.node).policy.retry;
        if record.attempt >= attempts(policy, error) {
            return None;
        }
        let job = JobId::of(self.accepted.execution_id, &record.node_id, &record.path, record.attempt);
        Some(now.after(pause(policy, record.attempt, job)))
    }

    /// Puts a node run back to wait for its next attempt.
    pub(crate) fn retry_at(&mut self, key: &RunKey, error: JobError, due: UnixMillis, now: UnixMillis) {
        self.clear_node_timers(key);
        let job = self.job_note(key);
        self.leave_pool(key);
        let record = self.record(key);
        record.status = NodeStatus::Pending;
        record.error = Some(error);
        record.due = Some(due);
        self.emit_node(
            EventType::NodeRetrying,
            key,
            now,
            vec![("next_attempt_at", json!(due)), ("job", job)],
        );
        if due <= now {
            self.agenda.push_back(Agenda::Start(key.clone()));
        } else {
            let timer = self.node_timer(key, TimerPurpose::Retry);
            self.effects.set_timers.push((due, timer));
        }
    }
}

/// How many attempts this kind of failure is worth: what the policy says, and never fewer than the kind itself deserves
/// (a worker that went away is no fault of the workflow's).
fn attempts(policy: &Retry, error: &JobError) -> u32 {
    let by_policy = if policy.on.is_empty() { error.retryable } else { policy.on.contains(&error.kind) };
    let by_kind = match error.kind {
        ErrorKind::WorkerUnavailable | ErrorKind::Network => 3,
        ErrorKind::ModelLoadError | ErrorKind::OutOfMemory => 2,
        _ => 1,
    };
    let by_kind = if error.retryable { by_kind } else { 1 };
    if by_policy { policy.max_attempts.max(by_kind) } else { by_kind }
}

/// The pause after attempt `attempt`: exponential, capped, and spread by `jitter`. The spread is taken from the job's
/// id, so that the same step always decides the same.
fn pause(policy: &Retry, attempt: u32, job: JobId) -> Duration {
    let exponent = i32::try_from(attempt.saturating_sub(1)).unwrap_or(i32::MAX);
    let full = (policy.initial_ms as f64 * policy.multiplier.powi(exponent)).min(policy.max_ms as f64);
    let tail = u64::from_be_bytes(job.0.as_bytes()[8..].try_into().expect("a UUID has 16 bytes"));
    let spread = 1.0 - policy.jitter * (tail as f64 / u64::MAX as f64);
    Duration::from_millis((full * spread).max(0.0).round() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use millrace_contracts::{ExecutionId, ItemPath};

    fn error(kind: ErrorKind) -> JobError {
        JobError::new(kind, "x")
    }

    #[test]
    fn kinds_that_cannot_get_better_are_tried_once_unless_the_policy_names_them() {
        let patient = Retry { max_attempts: 5, ..Retry::default() };
        assert_eq!(attempts(&patient, &error(ErrorKind::InvalidInput)), 1);
        assert_eq!(attempts(&patient, &error(ErrorKind::Timeout)), 5);
        let stubborn = Retry { on: vec![ErrorKind::InvalidInput], ..patient };
        assert_eq!(attempts(&stubborn, &error(ErrorKind::InvalidInput)), 5);
        assert_eq!(attempts(&stubborn, &error(ErrorKind::Timeout)), 1);
        assert_eq!(attempts(&Retry::default(), &error(ErrorKind::WorkerUnavailable)), 3);
    }

    #[test]
    fn pauses_grow_are_capped_and_spread_downwards_only() {
        let policy =
            Retry { initial_ms: 100, multiplier: 3.0, max_ms: 1_000, jitter: 0.5, ..Retry::default() };
        for attempt in 1..6 {
            let full = (100.0 * 3f64.powi(attempt - 1)).min(1_000.0);
            let job = JobId::of(ExecutionId::generate(), &"n".into(), &ItemPath::root(), attempt as u32);
            let pause = pause(&policy, attempt as u32, job).as_millis() as f64;
            assert!(pause <= full + 1.0 && pause >= full * 0.5 - 1.0, "{pause} against {full}");
        }
    }
}
