//! What a batch means for one row: the newest state, and the rule by which one state replaces another. The SQL of the upserts
//! states the same rule for what is stored already.

use millrace_contracts::job::{JobMetrics, Priority};
use millrace_contracts::message::Accepted;
use millrace_contracts::run::{CallbackTold, NodeView, Progress};
use millrace_contracts::{
    ExecutionId, ExecutionStatus, ItemPath, JobError, JobId, ModelId, NodeId, NodeStatus,
};
use millrace_contracts::{Pool, UnixMillis, WorkerId};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::{CallbackStatus, JobStatus};

/// A run, as far as this batch brings it.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct ExecutionChange {
    /// To make the row from where there is none.
    pub(super) accepted: Option<Accepted>,
    /// The highest epoch seen.
    pub(super) epoch: u32,
    /// Time of `workflow:started`.
    pub(super) started_at: Option<UnixMillis>,
    /// The end, and its place in the log.
    pub(super) end: Option<((u32, u64), ExecutionEnd)>,
}

impl ExecutionChange {
    pub(super) fn status(&self) -> ExecutionStatus {
        match (&self.end, self.started_at) {
            (Some((_, end)), _) => end.status,
            (None, Some(_)) => ExecutionStatus::Running,
            (None, None) => ExecutionStatus::Pending,
        }
    }

    /// The end that comes first in the log is the end.
    pub(super) fn end(&mut self, position: (u32, u64), end: ExecutionEnd) {
        if self.end.as_ref().is_none_or(|(known, _)| position < *known) {
            self.end = Some((position, end));
        }
    }
}

/// The data of `workflow:completed`, `failed` and `cancelled`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(super) struct ExecutionEnd {
    pub(super) status: ExecutionStatus,
    #[serde(default)]
    pub(super) started_at: Option<UnixMillis>,
    #[serde(default)]
    pub(super) completed_at: Option<UnixMillis>,
    #[serde(default)]
    pub(super) duration_ms: Option<u64>,
    #[serde(default)]
    pub(super) progress: Option<Progress>,
    #[serde(default)]
    pub(super) outputs: Option<Value>,
    #[serde(default)]
    pub(super) error: Option<JobError>,
    #[serde(default)]
    pub(super) jobs: EndedJobs,
}

/// How a run's jobs ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
pub(super) struct EndedJobs {
    pub(super) completed: u32,
    pub(super) failed: u32,
}

/// What came of telling a run's `callback_url` of its end.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct CallbackChange {
    pub(super) status: CallbackStatus,
    pub(super) told: CallbackTold,
    pub(super) at: UnixMillis,
}

/// The key of `wf_node_runs`.
pub(super) type NodeRunKey = (ExecutionId, NodeId, ItemPath);

/// A node run, as far as this batch brings it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct NodeRunChange {
    pub(super) view: NodeView,
    pub(super) handled: Option<String>,
    pub(super) epoch: u32,
}

impl NodeRunChange {
    /// Whether this state replaces `stored`. Terminal states stay, except that a rebuilt run (higher epoch) may end
    /// differently what had not been completed; among the others the later attempt counts.
    pub(super) fn replaces(&self, stored: &Self) -> bool {
        let (new, old) = (self.view.status, stored.view.status);
        if old.is_terminal() {
            return new.is_terminal() && old != NodeStatus::Completed && self.epoch > stored.epoch;
        }
        new.is_terminal() || (self.epoch, self.view.attempt) >= (stored.epoch, stored.view.attempt)
    }
}

/// A job, as far as this batch brings it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct JobChange {
    pub(super) execution_id: ExecutionId,
    pub(super) node_id: NodeId,
    pub(super) path: ItemPath,
    pub(super) attempt: u32,
    /// What was asked; none when all that is known is that it was cancelled.
    pub(super) spec: Option<JobSpec>,
    pub(super) end: Option<JobEnd>,
}

impl JobChange {
    /// Takes over what `other` knows of the same job and this does not.
    pub(super) fn merge(&mut self, other: Self) {
        self.spec = match (self.spec.take(), other.spec) {
            (Some(known), Some(new)) => Some(JobSpec { priority: known.priority.or(new.priority), ..known }),
            (known, new) => known.or(new),
        };
        // A cancelled node says nothing of a job that had ended before.
        let replaced = self.end.as_ref().is_none_or(|end| end.status == JobStatus::Cancelled);
        if replaced && other.end.is_some() {
            self.end = other.end;
        }
    }

    pub(super) fn status(&self) -> JobStatus {
        self.end.as_ref().map_or(JobStatus::Queued, |end| end.status)
    }
}

/// The data of `inference:queued`, and the `job` inside node events.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(super) struct JobSpec {
    #[serde(alias = "job_id")]
    pub(super) id: JobId,
    pub(super) task: String,
    #[serde(default)]
    pub(super) model_id: Option<ModelId>,
    #[serde(default)]
    pub(super) model_source: Option<String>,
    pub(super) pool: Pool,
    #[serde(default)]
    pub(super) priority: Option<Priority>,
    pub(super) queued_at: UnixMillis,
}

/// How a job ended.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct JobEnd {
    pub(super) status: JobStatus,
    pub(super) worker_id: Option<WorkerId>,
    pub(super) started_at: Option<UnixMillis>,
    pub(super) completed_at: UnixMillis,
    pub(super) result: Option<Map<String, Value>>,
    pub(super) error: Option<JobError>,
    pub(super) metrics: Option<JobMetrics>,
}

impl JobEnd {
    /// Nothing is known of a cancelled job but when.
    pub(super) fn cancelled(completed_at: UnixMillis) -> Self {
        let status = JobStatus::Cancelled;
        Self {
            status,
            worker_id: None,
            started_at: None,
            completed_at,
            result: None,
            error: None,
            metrics: None,
        }
    }
}
