//! The run stands still, or somebody may have died between deciding and sending: everything that it waits for is said again.
//! Jobs that a worker began are sent again too: the queue that would have handed them on may be lost, and the worker with it.
//! Sending a job twice is harmless, since its id is the fencing token; but the shell leaves out what is still in a queue, or
//! wake-ups would multiply a run's jobs.

use std::time::Duration;

use millrace_contracts::message::{Timer, TimerPurpose};
use millrace_contracts::{NodeStatus, UnixMillis};

use crate::execution::{Execution, RunKey};

pub(crate) fn handle(run: &mut Execution, now: UnixMillis) {
    run.resend_jobs(now);
    run.renew_timers(now);
}

impl Execution {
    /// The alarms that its records say should be set.
    fn renew_timers(&mut self, now: UnixMillis) {
        let mut alarms = Vec::new();
        if let Some(timeout_ms) = self.timeout_ms() {
            let begun = self.meta.started_at.unwrap_or(now);
            alarms.push((begun.after(Duration::from_millis(timeout_ms)), self.run_timer()));
        }
        let mut keys: Vec<&RunKey> = self.nodes.keys().collect();
        keys.sort_by(|a, b| (&a.path, a.node).cmp(&(&b.path, b.node)));
        alarms.extend(keys.into_iter().filter_map(|key| self.alarm_of(key, now)));
        self.effects.renew_timers.extend(alarms);
    }

    /// The alarm of a node run, if it waits for one.
    fn alarm_of(&self, key: &RunKey, now: UnixMillis) -> Option<(UnixMillis, Timer)> {
        let record = &self.nodes[key];
        let due = record.due.unwrap_or(now);
        match record.status {
            NodeStatus::Queued | NodeStatus::Running if record.at_pool => {
                let timeout = Duration::from_millis(self.plan.node(key.node).policy.timeout_ms?);
                let queued_at = record.queued_at.unwrap_or(now);
                Some((queued_at.after(timeout), self.node_timer(key, TimerPurpose::NodeTimeout)))
            }
            NodeStatus::Running => {
                let (at, purpose) = self.delay_alarm(key);
                Some((at, self.node_timer(key, purpose)))
            }
            NodeStatus::Pending if record.attempt > 0 && !record.in_line => {
                Some((due, self.node_timer(key, TimerPurpose::Retry)))
            }
            _ => None,
        }
    }
}
