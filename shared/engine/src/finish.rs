//! How a run ends. What is still open is cancelled in the same step, so that the end never waits for a worker.

use millrace_compiler::logic::output_value;
use millrace_compiler::plan::{Action, ScopeIndex};
use millrace_contracts::{EventType, ExecutionStatus, ItemPath, JobError, NodeStatus, UnixMillis};
use serde_json::{Map, Value, json};

use crate::execution::{Execution, RunKey};

impl Execution {
    pub(crate) fn complete_if_done(&mut self, now: UnixMillis) {
        if self.root_remaining == 0 && !self.is_terminal() {
            self.finish(ExecutionStatus::Completed, None, now);
        }
    }

    pub(crate) fn finish(&mut self, status: ExecutionStatus, error: Option<JobError>, now: UnixMillis) {
        self.cancel_open_nodes(now);
        self.agenda.clear();
        self.pending.clear();
        self.ready.clear();
        self.shell.clear();
        self.untold.clear();
        self.history.clear();
        self.effects.shell.clear();
        if self.timeout_ms().is_some() {
            let timer = self.run_timer();
            self.effects.clear_timers.push(timer);
        }
        self.meta.status = status;
        self.meta.completed_at = Some(now);
        self.meta.error = error;
        let kind = match status {
            ExecutionStatus::Completed => EventType::WorkflowCompleted,
            ExecutionStatus::Cancelled => EventType::WorkflowCancelled,
            _ => EventType::WorkflowFailed,
        };
        let data = self.summary(now);
        self.emit(kind, now, data);
    }

    /// Cancels every node run that is known of and has not ended.
    fn cancel_open_nodes(&mut self, now: UnixMillis) {
        let mut open: Vec<RunKey> = self
            .nodes
            .iter()
            .filter(|(_, record)| !record.status.is_terminal())
            .map(|(key, _)| key.clone())
            .collect();
        for key in self.expected() {
            if !self.nodes.contains_key(&key) {
                self.record(&key);
                open.push(key);
            }
        }
        open.sort_by(|a, b| (a.node, &a.path).cmp(&(b.node, &b.path)));
        for key in open {
            self.cancel_node(&key, now);
        }
    }

    /// Every node run that is known of: the nodes outside loops, and those of the items under way.
    fn expected(&self) -> Vec<RunKey> {
        let items = self.loops.iter().flat_map(|(opener, open)| {
            open.remaining.keys().map(move |&item| (open.scope, opener.path.child(item)))
        });
        std::iter::once((ScopeIndex::ROOT, ItemPath::root()))
            .chain(items)
            .flat_map(|(scope, path)| {
                let members = &self.plan.scope(scope).members;
                members.iter().map(move |&member| RunKey::new(member, path.clone()))
            })
            .collect()
    }

    fn summary(&self, now: UnixMillis) -> Value {
        let outputs = (self.meta.status == ExecutionStatus::Completed).then(|| self.outputs());
        json!({
            "status": self.meta.status,
            "created_at": self.accepted.created_at,
            "started_at": self.meta.started_at,
            "completed_at": now,
            "duration_ms": now.since(self.accepted.created_at),
            "progress": self.meta.progress,
            "outputs": outputs,
            "error": self.meta.error,
            "jobs": {"completed": self.meta.jobs_completed, "failed": self.meta.jobs_failed},
        })
    }

    /// What the output blocks gave: `{node: {port: value}}`.
    #[must_use]
    pub fn outputs(&self) -> Map<String, Value> {
        let is_output = |node: &&millrace_compiler::plan::PlanNode| {
            matches!(node.action, Action::Output | Action::Respond)
        };
        let mut outputs = Map::new();
        for node in self.plan.nodes.iter().filter(is_output) {
            let key = RunKey::new(self.plan.index[&node.id], ItemPath::root());
            let Some(record) = self.nodes.get(&key) else { continue };
            if let (NodeStatus::Completed, Some(ports)) = (record.status, &record.outputs) {
                let shown = ports.iter().map(|(port, value)| (port.clone(), output_value(value.clone())));
                outputs.insert(node.id.to_string(), Value::Object(shown.collect()));
            }
        }
        outputs
    }
}
