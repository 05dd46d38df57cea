//! Folds a batch of events into at most one change per row. Pure: no database, no clock.

use std::collections::{BTreeMap, HashSet};

use millrace_contracts::audit::Change;
use millrace_contracts::message::Accepted;
use millrace_contracts::run::NodeView;
use millrace_contracts::{
    Event, EventType, ExecutionId, ItemPath, JobId, NodeId, NodeStatus, UnixMillis, WorkerId,
};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::change::{
    CallbackChange, ExecutionChange, ExecutionEnd, JobChange, JobEnd, JobSpec, NodeRunChange, NodeRunKey,
};
use crate::{CallbackStatus, JobStatus};

/// What a batch means for the tables. All of it is sorted: concurrent writers lock rows in the same order.
#[derive(Debug, Default)]
pub(super) struct Changes<'a> {
    /// Rows for `wf_events`, each position once, by run and position.
    pub(super) events: Vec<&'a Event>,
    pub(super) executions: BTreeMap<ExecutionId, ExecutionChange>,
    pub(super) node_runs: BTreeMap<NodeRunKey, NodeRunChange>,
    pub(super) jobs: BTreeMap<JobId, JobChange>,
    pub(super) callbacks: BTreeMap<ExecutionId, CallbackChange>,
    /// Workers that are lost, and when each was last heard of.
    pub(super) lost: BTreeMap<WorkerId, UnixMillis>,
    /// What callers of the api changed, and when. A repeated one is left to the key.
    pub(super) audited: Vec<(UnixMillis, Change)>,
    /// Events whose data is not what their type promises. They stand in the log all the same.
    pub(super) unreadable: Vec<(&'a Event, String)>,
}

/// The data of `worker:lost`.
#[derive(Deserialize)]
struct LostWorker {
    worker_id: WorkerId,
    last_seen: UnixMillis,
}

impl<'a> Changes<'a> {
    /// The changes that `events` amount to.
    pub(super) fn fold(events: &'a [Event]) -> Self {
        let mut changes = Self::default();
        let mut seen = HashSet::new();
        for event in events {
            if let (Some(run), Some(position)) = (event.execution_id, event.log_position()) {
                if !seen.insert((run, position.epoch, position.seq)) {
                    continue;
                }
                changes.events.push(event);
            }
            if let Err(reason) = changes.apply(event) {
                changes.unreadable.push((event, reason));
            }
        }
        // Events of several runs come in any order, and another writer may have the same ones in another.
        changes.events.sort_by_key(|event| (event.execution_id, event.log_position()));
        changes
    }

    fn apply(&mut self, event: &Event) -> Result<(), String> {
        match event.kind {
            EventType::WorkflowExecute => {
                let accepted: Accepted = read(&event.data)?;
                self.execution(accepted.execution_id, accepted.epoch).accepted.get_or_insert(accepted);
            }
            EventType::InferenceQueued => self.job(event, read(&event.data)?)?,
            EventType::CallbackDelivered => self.callback(event, CallbackStatus::Delivered)?,
            EventType::AuditChanged => self.audited.push((event.time, read(&event.data)?)),
            EventType::WorkerLost => {
                let lost: LostWorker = read(&event.data)?;
                let last_seen = self.lost.entry(lost.worker_id).or_insert(lost.last_seen);
                *last_seen = lost.last_seen.max(*last_seen);
            }
            EventType::CallbackFailed => self.callback(event, CallbackStatus::Failed)?,
            kind if kind.is_durable() => {
                let run = event.execution_id.ok_or("it names no execution")?;
                let position = event.log_position().ok_or("it has no epoch and seq")?;
                match kind {
                    EventType::WorkflowStarted => self.started(run, event)?,
                    kind if kind.ends_run() => {
                        let mut end: ExecutionEnd = read(&event.data)?;
                        if !end.status.is_terminal() {
                            return Err(format!("the run ended with status {}", end.status));
                        }
                        end.completed_at.get_or_insert(event.time);
                        self.execution(run, position.epoch).end((position.epoch, position.seq), end);
                    }
                    _ => self.node(run, position.epoch, event)?,
                }
            }
            // Live only, or about the fleet: not for the record.
            _ => {}
        }
        Ok(())
    }

    fn execution(&mut self, run: ExecutionId, epoch: u32) -> &mut ExecutionChange {
        let change = self.executions.entry(run).or_default();
        change.epoch = change.epoch.max(epoch);
        change
    }

    fn callback(&mut self, event: &Event, status: CallbackStatus) -> Result<(), String> {
        let run = event.execution_id.ok_or("it names no execution")?;
        let change = CallbackChange { status, told: read(&event.data)?, at: event.time };
        let known = self.callbacks.entry(run).or_insert_with(|| change.clone());
        if known.status != CallbackStatus::Delivered {
            *known = change;
        }
        Ok(())
    }

    fn started(&mut self, run: ExecutionId, event: &Event) -> Result<(), String> {
        #[derive(Deserialize)]
        struct Started {
            accepted: Option<Accepted>,
        }
        let started: Started = read(&event.data)?;
        let change = self.execution(run, event.epoch.unwrap_or(1));
        // A run that was begun again says when it began first.
        let started_at = started.accepted.as_ref().and_then(|accepted| accepted.started_at);
        let started_at = started_at.unwrap_or(event.time);
        change.started_at = Some(change.started_at.map_or(started_at, |known| known.min(started_at)));
        if change.accepted.is_none() {
            change.accepted = started.accepted.filter(|accepted| accepted.execution_id == run);
        }
        Ok(())
    }

    fn job(&mut self, event: &Event, spec: JobSpec) -> Result<(), String> {
        let change = JobChange {
            execution_id: event.execution_id.ok_or("it names no execution")?,
            node_id: event.node_id.clone().ok_or("it names no node")?,
            path: event.path.clone().unwrap_or_default(),
            attempt: event.attempt.unwrap_or(1),
            spec: None,
            end: None,
        };
        self.merge_job(spec.id, JobChange { spec: Some(spec), ..change });
        Ok(())
    }

    fn merge_job(&mut self, id: JobId, change: JobChange) {
        // The run counts its jobs, so it needs a row to count in.
        self.executions.entry(change.execution_id).or_default();
        match self.jobs.entry(id) {
            std::collections::btree_map::Entry::Vacant(vacant) => {
                vacant.insert(change);
            }
            std::collections::btree_map::Entry::Occupied(mut known) => known.get_mut().merge(change),
        }
    }

    fn node(&mut self, run: ExecutionId, epoch: u32, event: &Event) -> Result<(), String> {
        #[derive(Deserialize)]
        struct Extra {
            handled: Option<String>,
            job: Option<JobSpec>,
        }
        let view: NodeView = read(&event.data)?;
        let extra: Extra = read(&event.data)?;
        self.job_of_node(run, &view, extra.job, event);
        let key = (run, view.node_id.clone(), view.path.clone());
        let change = NodeRunChange { view, handled: extra.handled, epoch };
        match self.node_runs.entry(key) {
            std::collections::btree_map::Entry::Vacant(vacant) => {
                vacant.insert(change);
            }
            std::collections::btree_map::Entry::Occupied(mut known) => {
                if change.replaces(known.get()) {
                    known.insert(change);
                }
            }
        }
        Ok(())
    }

    /// The row of the job behind a node event, if there was one.
    fn job_of_node(&mut self, run: ExecutionId, view: &NodeView, spec: Option<JobSpec>, event: &Event) {
        let status = match event.kind {
            EventType::NodeCompleted => JobStatus::Completed,
            EventType::NodeFailed | EventType::NodeRetrying => JobStatus::Failed,
            EventType::NodeCancelled => JobStatus::Cancelled,
            _ => return,
        };
        // Only a cancelled node run does not say which job it had; the id follows from the attempt.
        let id = match &spec {
            Some(spec) => spec.id,
            None if view.status == NodeStatus::Cancelled && view.attempt > 0 => {
                JobId::of(run, &view.node_id, &view.path, view.attempt)
            }
            None => return,
        };
        let completed_at = view.completed_at.unwrap_or(event.time);
        let end = match status {
            JobStatus::Cancelled => JobEnd::cancelled(completed_at),
            _ => JobEnd {
                status,
                worker_id: view.worker_id.clone(),
                started_at: view.started_at,
                completed_at,
                result: view.outputs.clone().filter(|_| status == JobStatus::Completed),
                error: view.error.clone().filter(|_| status == JobStatus::Failed),
                metrics: view.metrics.clone(),
            },
        };
        let attempt = event.attempt.unwrap_or(view.attempt).max(1);
        let (node_id, path): (NodeId, ItemPath) = (view.node_id.clone(), view.path.clone());
        self.merge_job(id, JobChange { execution_id: run, node_id, path, attempt, spec, end: Some(end) });
    }
}

fn read<T: DeserializeOwned>(data: &serde_json::Value) -> Result<T, String> {
    T::deserialize(data).map_err(|error| format!("its data cannot be read: {error}"))
}
