//! Building events: every durable one gets the run's next `seq` here and nowhere else.

use millrace_contracts::event::Source;
use millrace_contracts::{Event, EventType, Job, NodeStatus, UnixMillis};
use serde_json::{Value, json};

use crate::execution::{Execution, RunKey};

/// The id of the `node:queued` event of a job's node run.
pub(crate) fn queued_id(job: &Job) -> String {
    format!("{}/{}{}#{}:queued", job.execution_id, job.node_id, job.path, job.attempt)
}

impl Execution {
    fn envelope(&self, kind: EventType, id: String, now: UnixMillis, data: Value) -> Event {
        let mut event = Event::new(kind, Source::Orchestrator, id, now, data);
        event.execution_id = Some(self.accepted.execution_id);
        event.workflow_id = self.accepted.workflow_id;
        event.traceparent.clone_from(&self.accepted.traceparent);
        event.region.clone_from(&self.accepted.region);
        event
    }

    /// Notes a durable event about the run.
    pub(crate) fn emit(&mut self, kind: EventType, now: UnixMillis, data: Value) {
        let mut event = self.numbered(kind, now, data);
        event.subject = Some(self.accepted.execution_id.to_string());
        self.effects.durable.push(event);
    }

    fn numbered(&mut self, kind: EventType, now: UnixMillis, data: Value) -> Event {
        self.meta.seq += 1;
        let id = format!("{}/{}-{}", self.accepted.execution_id, self.meta.epoch, self.meta.seq);
        let mut event = self.envelope(kind, id, now, data);
        event.epoch = Some(self.meta.epoch);
        event.seq = Some(self.meta.seq);
        event
    }

    /// Notes a durable event about a node run: its view, and `extra` beside it.
    pub(crate) fn emit_node(
        &mut self,
        kind: EventType,
        key: &RunKey,
        now: UnixMillis,
        extra: Vec<(&str, Value)>,
    ) {
        let record = &self.nodes[key];
        let (attempt, node_id, path) = (record.attempt, record.node_id.clone(), record.path.clone());
        let mut data = serde_json::to_value(record.view()).expect("a node view is plain data");
        if let Some(fields) = data.as_object_mut() {
            if let Some(handled) = record.handled {
                fields.insert("handled".into(), json!(handled));
            }
            if !record.warnings.is_empty() {
                fields.insert("warnings".into(), json!(record.warnings));
            }
            fields.extend(extra.into_iter().map(|(name, value)| (name.to_owned(), value)));
        }
        let mut event = self.numbered(kind, now, data);
        event.subject = Some(node_id.to_string());
        event.node_id = Some(node_id);
        event.path = (path.depth() > 0).then_some(path);
        event.attempt = (attempt > 0).then_some(attempt);
        self.effects.durable.push(event);
    }

    /// Notes a live-only event about a node run.
    pub(crate) fn emit_live(&mut self, kind: EventType, key: &RunKey, now: UnixMillis, data: Value) {
        let record = &self.nodes[key];
        let short = if kind == EventType::NodeQueued { "queued" } else { "started" };
        let id = format!(
            "{}/{}{}#{}:{short}",
            self.accepted.execution_id, record.node_id, record.path, record.attempt
        );
        let (node_id, path, attempt) = (record.node_id.clone(), record.path.clone(), record.attempt);
        let mut event = self.envelope(kind, id, now, data);
        event.subject = Some(node_id.to_string());
        event.node_id = Some(node_id);
        event.path = (path.depth() > 0).then_some(path);
        event.attempt = Some(attempt);
        self.effects.live.push((self.meta.seq, event));
    }

    /// Tells that a delay is under way, and until when.
    pub(crate) fn emit_delay(&mut self, key: &RunKey, now: UnixMillis) {
        let record = &self.nodes[key];
        let data = json!({"attempt": record.attempt, "started_at": record.started_at, "until": record.due});
        self.emit_live(EventType::NodeStarted, key, now, data);
    }

    /// The `inference:queued` event that goes with a job.
    pub(crate) fn queued_event(&self, job: &Job, now: UnixMillis) -> Event {
        let data = json!({
            "job_id": job.id,
            "task": job.task,
            "pool": job.pool,
            "model_id": job.model.as_ref().map(|model| &model.id),
            "model_source": job.model.as_ref().map(|model| &model.source),
            "priority": job.priority,
            "queued_at": job.queued_at,
        });
        let mut event = self.envelope(EventType::InferenceQueued, format!("{}:queued", job.id), now, data);
        event.subject = Some(job.id.to_string());
        event.node_id = Some(job.node_id.clone());
        event.path = (job.path.depth() > 0).then(|| job.path.clone());
        event.attempt = Some(job.attempt);
        event
    }

    /// The event type that a node run's terminal status is told by.
    pub(crate) fn terminal_event(status: NodeStatus) -> EventType {
        match status {
            NodeStatus::Completed => EventType::NodeCompleted,
            NodeStatus::Skipped => EventType::NodeSkipped,
            NodeStatus::Cancelled => EventType::NodeCancelled,
            _ => EventType::NodeFailed,
        }
    }
}
