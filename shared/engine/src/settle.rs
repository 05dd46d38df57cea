//! How a node run ends: completed, skipped, failed by policy, or cancelled. Each ends once.

use millrace_compiler::plan::Action;
use millrace_contracts::definition::{OnError, OnItemError};
use millrace_contracts::message::{NodeAttempt, TimerPurpose};
use millrace_contracts::{ExecutionStatus, JobError, JobId, NodeStatus, UnixMillis};
use serde_json::{Map, Value, json};

use crate::execution::{Agenda, Execution, RunKey};
use crate::record::Handled;

impl Execution {
    pub(crate) fn complete(
        &mut self,
        key: &RunKey,
        outputs: Map<String, Value>,
        skipped_ports: Vec<String>,
        now: UnixMillis,
    ) {
        let record = self.record(key);
        record.outputs = Some(outputs);
        record.skipped_ports = skipped_ports;
        self.settle(key, NodeStatus::Completed, now);
    }

    /// A node run is out of attempts: its policy, and the loops around it, say what that means.
    pub(crate) fn fail_node(&mut self, key: &RunKey, error: JobError, now: UnixMillis) {
        self.fail_node_as(key, NodeStatus::Failed, error, now);
    }

    pub(crate) fn fail_node_as(
        &mut self,
        key: &RunKey,
        status: NodeStatus,
        error: JobError,
        now: UnixMillis,
    ) {
        let plan = self.plan.clone();
        let node = plan.node(key.node);
        let record = self.record(key);
        record.error = Some(error.clone());
        match &node.policy.on_error {
            OnError::Skip => {
                record.handled = Some(Handled::Skip);
                self.settle(key, status, now);
            }
            OnError::Default(outputs) => {
                record.handled = Some(Handled::Default);
                record.outputs = Some(outputs.clone());
                self.settle(key, status, now);
            }
            OnError::Fail => match self.tolerant_loop(key) {
                Some((opener, item)) => {
                    self.record(key).handled = Some(Handled::Item);
                    self.settle(key, status, now);
                    self.fail_item(&opener, item, now);
                }
                None => {
                    self.settle(key, status, now);
                    let cause = JobError {
                        node: Some(node.id.clone()),
                        message: format!("node `{}{}` failed: {}", node.id, key.path, error.message),
                        ..error
                    };
                    self.finish(ExecutionStatus::Failed, Some(cause), now);
                }
            },
        }
    }

    /// The innermost loop around `key` that tolerates failed items, and the item `key` belongs to there.
    pub(crate) fn tolerant_loop(&self, key: &RunKey) -> Option<(RunKey, u32)> {
        let mut scope = self.plan.node(key.node).scope;
        loop {
            let here = self.plan.scope(scope);
            let (parent, opener) = (here.parent?, here.opener?);
            if here.on_item_error != OnItemError::Fail {
                let item = key.path.indices()[here.depth - 1];
                return Some((RunKey::new(opener, key.path.prefix(here.depth - 1)), item));
            }
            scope = parent;
        }
    }

    /// Ends a node run, tells the world, and puts its dependants on the agenda.
    pub(crate) fn settle(&mut self, key: &RunKey, status: NodeStatus, now: UnixMillis) {
        self.end_node(key, status, now);
        self.untold.insert(key.clone());
        self.agenda.push_back(Agenda::Settled(key.clone()));
    }

    /// Ends a node run whose dependants will never run.
    pub(crate) fn cancel_node(&mut self, key: &RunKey, now: UnixMillis) {
        let record = &self.nodes[key];
        if record.at_pool {
            let run = self.accepted.execution_id;
            self.effects.abandon.push(JobId::of(run, &record.node_id, &record.path, record.attempt));
        }
        self.end_node(key, NodeStatus::Cancelled, now);
    }

    fn end_node(&mut self, key: &RunKey, status: NodeStatus, now: UnixMillis) {
        self.clear_node_timers(key);
        debug_assert!(!self.nodes[key].status.is_terminal(), "a node run ends once");
        let ends_job = self.nodes[key].at_pool;
        self.leave_pool(key);
        self.leave_delay(key);
        self.shell.remove(key);
        let decided_here = !matches!(self.plan.node(key.node).action, Action::Job { .. });
        let worked = !matches!(status, NodeStatus::Skipped | NodeStatus::Cancelled);
        let record = self.record(key);
        record.status = status;
        record.in_line = false;
        // What was adopted keeps its times; what was decided here began and ended in this step.
        record.completed_at = record.completed_at.or(Some(now));
        if decided_here && worked {
            record.started_at = record.started_at.or(Some(now));
        }
        // The end of an attempt before the last was told by its `retrying`; an adopted job is told again.
        let adopted =
            status == NodeStatus::Completed && record.queued_at.is_some() && record.origin.is_none();
        let tells_job = ends_job || adopted;
        let progress = &mut self.meta.progress;
        match status {
            NodeStatus::Completed => progress.completed += 1,
            NodeStatus::Skipped | NodeStatus::Cancelled => progress.skipped += 1,
            _ => progress.failed += 1,
        }
        let mut extra = Vec::new();
        if tells_job {
            extra.push(("job", self.job_note(key)));
        }
        self.emit_node(Self::terminal_event(status), key, now, extra);
    }

    /// What the record keeps of the job behind a node event.
    pub(crate) fn job_note(&self, key: &RunKey) -> Value {
        let record = &self.nodes[key];
        let node = self.plan.node(key.node);
        json!({
            "id": JobId::of(self.accepted.execution_id, &record.node_id, &record.path, record.attempt),
            "task": record.block,
            "model_id": self.config_field(node, &key.path, "model_id"),
            "model_source": self.config_field(node, &key.path, "model_source"),
            "pool": self.pool_of(node),
            "queued_at": record.queued_at,
        })
    }

    /// The job of the current attempt is no longer anybody's: its place is free for the next in line.
    pub(crate) fn leave_pool(&mut self, key: &RunKey) {
        let record = &self.nodes[key];
        if !record.at_pool || record.status.is_terminal() {
            return;
        }
        self.meta.jobs_pending -= 1;
        self.meta.progress.running = self.meta.progress.running.saturating_sub(1);
        self.record(key).at_pool = false;
        if !self.ready.is_empty() {
            self.agenda.push_back(Agenda::NextInLine);
        }
    }

    /// A delay that is under way counts as running.
    fn leave_delay(&mut self, key: &RunKey) {
        if self.nodes[key].status == NodeStatus::Running && self.is_delay(key) {
            self.meta.progress.running = self.meta.progress.running.saturating_sub(1);
        }
    }

    /// Clears the alarm that a node run waits for, if it waits for one.
    pub(crate) fn clear_node_timers(&mut self, key: &RunKey) {
        let record = &self.nodes[key];
        let purpose: fn(NodeAttempt) -> TimerPurpose = match record.status {
            NodeStatus::Queued | NodeStatus::Running if record.at_pool => {
                if self.plan.node(key.node).policy.timeout_ms.is_none() {
                    return;
                }
                TimerPurpose::NodeTimeout
            }
            NodeStatus::Running if self.is_delay(key) => self.delay_alarm(key).1,
            NodeStatus::Pending if record.attempt > 0 && record.error.is_some() && !record.in_line => {
                TimerPurpose::Retry
            }
            _ => return,
        };
        let timer = self.node_timer(key, purpose);
        self.effects.clear_timers.push(timer);
    }

    fn is_delay(&self, key: &RunKey) -> bool {
        matches!(self.plan.node(key.node).action, Action::Delay)
    }
}
