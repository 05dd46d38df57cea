//! A job: one attempt of one node run, complete in itself. The worker executes exactly what it says.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::chain::FollowUp;
use crate::error::JobError;
use crate::flow::Flow;
use crate::{
    ExecutionId, ItemPath, JobId, ModelDigest, ModelId, NodeId, Partition, Pool, UnixMillis, WorkerId,
    WorkflowId,
};

/// How urgent a run or node is. Urgent goes first; the others still get their share.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Priority {
    /// First.
    High,
    /// The default.
    #[default]
    Normal,
    /// Last.
    Low,
}

impl Priority {
    /// All of them, most urgent first.
    pub const ALL: [Self; 3] = [Self::High, Self::Normal, Self::Low];

    /// The name on the wire and in queue keys.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::High => "high",
            Self::Normal => "normal",
            Self::Low => "low",
        }
    }
}

/// The pool of jobs that wait for the world outside: workers take them beside those that keep a core busy.
pub const IO_POOL: &str = "io";

/// The task that fetches the pictures of a run's input which are named by URL.
pub const IMAGE_FETCH: &str = "image_input@1";

/// The node id of the job that tells a run's `callback_url` of its end. No node of a workflow can have it.
pub const CALLBACK_NODE: &str = "$callback";

/// What a model job asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelRef {
    /// Name in the repository.
    pub id: ModelId,
    /// Where it comes from: `pretrained`, `trained` or `url`.
    pub source: String,
    /// The copy that the run works with, once it is known: a run uses one copy of a model throughout. A worker that has
    /// another one loads this one, or fails the job.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<ModelDigest>,
}

/// One attempt of one node run.
///
/// Ids of run, workflow and node are there to be echoed in events; a worker reads nothing else into them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Job {
    /// Deterministic in (run, node, path, attempt).
    pub id: JobId,
    /// The run, for correlation.
    pub execution_id: ExecutionId,
    /// The saved workflow, for correlation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workflow_id: Option<WorkflowId>,
    /// The node, for correlation.
    pub node_id: NodeId,
    /// The item, for correlation.
    #[serde(default)]
    pub path: ItemPath,
    /// From 1.
    pub attempt: u32,
    /// The block and version to run, `detection@1`.
    pub task: String,
    /// The model, for model blocks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<ModelRef>,
    /// Which workers may take it.
    pub pool: Pool,
    /// How urgent.
    #[serde(default)]
    pub priority: Priority,
    /// Whose turn it takes among jobs as urgent.
    #[serde(default)]
    pub flow: Flow,
    /// Input ports; large values by reference.
    pub inputs: Map<String, Value>,
    /// The block's configuration, selectors resolved and defaults filled in.
    pub config: Map<String, Value>,
    /// Jobs that the same worker runs after it, in this order, while all goes well.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub then: Vec<FollowUp>,
    /// When it was queued.
    pub queued_at: UnixMillis,
    /// Not worth starting after this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline: Option<UnixMillis>,
    /// W3C trace context.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
    /// Whose inbox the report goes to.
    pub reply_to: Partition,
    /// Wanted also after the run has ended, however it ended: it tells of that end.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub outlives_run: bool,
}

/// Where a job's time went, and on what. Times in milliseconds.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct JobMetrics {
    /// The job.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inference_job_id: Option<JobId>,
    /// From queued to taken.
    pub queue_wait_ms: f64,
    /// Fetching the input blobs.
    pub fetch_ms: f64,
    /// Turning image bytes into pixels.
    pub decode_ms: f64,
    /// Resize, pad, normalise.
    pub preprocess_ms: f64,
    /// Waiting for a batch to close and its session to be free.
    pub batch_wait_ms: f64,
    /// Inside the session, or inside a transform's pixel loop.
    pub inference_time_ms: f64,
    /// Decoding the outputs.
    pub postprocess_ms: f64,
    /// Storing result blobs.
    pub upload_ms: f64,
    /// Loading the model, when this job had to wait for it.
    pub model_load_time_ms: f64,
    /// From taken to reported.
    pub total_time_ms: f64,
    /// The job's share of the time from taken to reported: while several are in hand, each has an equal part of the worker.
    /// The shares of all jobs add up to the time in which the worker had something in hand.
    #[serde(default)]
    pub worker_share_ms: f64,
    /// Whether the result came from a cache.
    pub cached: bool,
    /// The copy of the model that made the result, for model blocks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model_digest: Option<ModelDigest>,
    /// Rows in the batch it ran in; 0 for blocks without a model.
    pub batch_size: u32,
    /// How often it was sent, for what goes out to others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent: Option<u32>,
    /// The HTTP status of the last answer to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answered: Option<u16>,
    /// Who ran it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worker_id: Option<WorkerId>,
    /// `cpu`, `cuda:0`, …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
    /// The GPU's name, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gpu_model: Option<String>,
}

/// What a worker reports: the `data` of `inference:started`, `inference:completed` and `inference:failed`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JobReport {
    /// The job.
    pub job_id: JobId,
    /// The block it ran.
    pub task: String,
    /// The model, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model_id: Option<ModelId>,
    /// Who reports.
    pub worker_id: WorkerId,
    /// When the work began.
    pub started_at: UnixMillis,
    /// When it ended, where the report had to wait: for the jobs that followed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<UnixMillis>,
    /// How it went.
    #[serde(flatten)]
    pub outcome: JobOutcome,
}

/// How a job went.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum JobOutcome {
    /// Taken by a worker.
    Started,
    /// Done.
    Completed {
        /// Output ports; values over the inline limit by reference.
        outputs: Map<String, Value>,
        /// Where the time went. Boxed: most messages are starts.
        metrics: Box<JobMetrics>,
        /// Things worth knowing that did not stop it, such as a dropped empty crop.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        warnings: Vec<String>,
    },
    /// Not done.
    Failed {
        /// Why.
        error: JobError,
        /// Where the time went.
        metrics: Box<JobMetrics>,
    },
}
