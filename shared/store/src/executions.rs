//! `wf_executions`: runs as clients read them, and as the sweeper finds them.

mod by_key;
mod callbacks;
mod delete;
mod expire;
mod get;
mod list;
mod names;
pub(crate) mod row;
mod unfinished;

use millrace_contracts::job::Priority;
use millrace_contracts::message::RerunOf;
use millrace_contracts::run::Progress;
use millrace_contracts::{
    BlobId, ExecutionId, ExecutionStatus, JobError, Pool, ScheduleId, UnixMillis, WorkflowId,
};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::Store;

pub use by_key::KeyHolder;
pub use callbacks::{Callback, CallbackStatus};
pub use list::{ExecutionFilter, OWN_LABEL};
pub use unfinished::Unfinished;

/// The recorded runs.
#[derive(Debug, Clone, Copy)]
pub struct Executions<'a> {
    store: &'a Store,
}

impl Store {
    /// The recorded runs.
    #[must_use]
    pub fn executions(&self) -> Executions<'_> {
        Executions { store: self }
    }
}

/// A run in a list.
#[derive(Debug, Clone, PartialEq)]
pub struct ExecutionSummary {
    /// The run.
    pub id: ExecutionId,
    /// The saved workflow, if it is one.
    pub workflow_id: Option<WorkflowId>,
    /// Its version.
    pub version: Option<u32>,
    /// Where it stands, as far as it was recorded.
    pub status: ExecutionStatus,
    /// The caller's labels.
    pub labels: Map<String, Value>,
    /// When it was accepted.
    pub created_at: UnixMillis,
    /// When it started.
    pub started_at: Option<UnixMillis>,
    /// When it ended.
    pub completed_at: Option<UnixMillis>,
    /// From accepted to ended, milliseconds.
    pub duration_ms: Option<u64>,
    /// Why it failed, for people.
    pub error_message: Option<String>,
    /// Its jobs.
    pub jobs: JobCounts,
    /// The batch it belongs to.
    pub batch_id: Option<Uuid>,
    /// The schedule that started it.
    pub schedule_id: Option<ScheduleId>,
    /// The run that it repeats.
    pub rerun_of: Option<RerunOf>,
}

/// A run's jobs, by where they stand.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct JobCounts {
    /// Not ended.
    pub pending: u32,
    /// Done.
    pub completed: u32,
    /// Attempts that failed.
    pub failed: u32,
}

/// Everything that is recorded of a run itself.
#[derive(Debug, Clone, PartialEq)]
pub struct ExecutionRecord {
    /// What lists show.
    pub summary: ExecutionSummary,
    /// The definition's blob.
    pub definition: BlobId,
    /// How urgent.
    pub priority: Priority,
    /// The pool that all its jobs are sent to, if one was asked for.
    pub pool: Option<Pool>,
    /// The input, large values by reference.
    pub input: Map<String, Value>,
    /// What the output blocks gave: an object, or a reference to one. None before the end.
    pub outputs: Option<Value>,
    /// Why it failed.
    pub error: Option<JobError>,
    /// Counts of node runs at the end.
    pub progress: Option<Progress>,
    /// Node → where its time went, once ended.
    pub node_metrics: Option<Value>,
    /// W3C trace id.
    pub trace_id: Option<String>,
    /// Where it ran.
    pub region: Option<String>,
    /// What it cost, in the operator's currency.
    pub cost: Option<f64>,
    /// Who is told of its end, and what came of it.
    pub callback: Option<Callback>,
    /// The highest epoch of its log that was recorded.
    pub epoch: u32,
}
