//! Runs and node runs as clients are shown them. Times are milliseconds since the Unix epoch, as in events and snapshots.

use millrace_bus::PlaceInLine;
use millrace_contracts::job::Priority;
use millrace_contracts::message::RerunOf;
use millrace_contracts::run::{Progress, Snapshot};
use millrace_contracts::{
    BlobId, ExecutionId, ExecutionStatus, JobError, Pool, ScheduleId, UnixMillis, WorkflowId,
};
use millrace_store::{Callback, ExecutionRecord, JobCounts};
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use super::find::Found;
use super::links::{Links, links};
use super::node_metrics::{self, NodeMetrics};
use super::pictures::{Pictures, images_as_links, images_inline};
use super::unserved::{Unserved, unserved};
use crate::patience::patiently;
use crate::state::App;

/// A run as it stands. What only Postgres knows is null while Postgres is away.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Execution {
    execution_id: ExecutionId,
    /// None for a run of an unsaved definition.
    workflow_id: Option<WorkflowId>,
    /// The workflow's version that is run.
    version: Option<u32>,
    status: ExecutionStatus,
    priority: Option<Priority>,
    /// The pool that all its jobs are sent to, if one was asked for.
    pool: Option<Pool>,
    /// The caller's labels.
    labels: Option<Map<String, Value>>,
    batch_id: Option<Uuid>,
    created_at: Option<UnixMillis>,
    started_at: Option<UnixMillis>,
    completed_at: Option<UnixMillis>,
    /// From accepted to ended, milliseconds.
    duration_ms: Option<u64>,
    progress: Progress,
    /// Input node to value; pictures by blob.
    input: Option<Map<String, Value>>,
    /// What the output blocks gave, by node; none before the end.
    outputs: Option<Value>,
    /// Pictures of `outputs` that were asked for as base64, and have only their `url`.
    #[serde(skip_serializing_if = "Option::is_none")]
    images_omitted: Option<u32>,
    error: Option<JobError>,
    /// Where each node's time went.
    #[schema(value_type = std::collections::BTreeMap<String, NodeMetrics>)]
    node_metrics: Value,
    /// In the operator's currency.
    cost: Option<f64>,
    region: Option<String>,
    /// W3C trace id.
    trace_id: Option<String>,
    /// The definition's blob.
    definition: Option<BlobId>,
    /// The log's epoch; rises only when the log was lost and rebuilt.
    epoch: u32,
    /// The last durable event, while the live state is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    seq: Option<u64>,
    /// The schedule that started it.
    #[serde(skip_serializing_if = "Option::is_none")]
    schedule_id: Option<ScheduleId>,
    /// The run that it repeats.
    #[serde(skip_serializing_if = "Option::is_none")]
    rerun_of: Option<RerunOf>,
    /// Who is told of its end, where somebody is, and what came of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    callback: Option<Callback>,
    #[serde(flatten)]
    jobs: Counters,
    /// Its place in the line, while it waits to begin.
    #[serde(skip_serializing_if = "Option::is_none")]
    queue: Option<PlaceInLine>,
    /// What its queued jobs wait for in vain, as things are.
    #[serde(skip_serializing_if = "Option::is_none")]
    unserved: Option<Unserved>,
    links: Links,
}

/// A run's jobs, by where they stand.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Counters {
    inference_jobs_pending: u32,
    inference_jobs_completed: u32,
    inference_jobs_failed: u32,
}

/// A run's own page. An output that is too large to be shown whole, or whose blob cannot be read, is shown by its references: a run
/// can be looked at whatever it made.
pub(crate) async fn execution(app: &App, found: Found, pictures: Pictures) -> Execution {
    let pending = found.status() == ExecutionStatus::Pending;
    let Found { id, record, live } = found;
    let mut page = Execution::of_record(id, record);
    if let Some((snapshot, jobs)) = live {
        if let Some(definition) = page.definition {
            page.unserved = unserved(app, (definition, page.pool.as_ref()), &snapshot.nodes).await;
        }
        page.update(snapshot, jobs);
    }
    if pending {
        // Where Redis is away, the place in the line is not known.
        page.queue = patiently(app.bus.place_in_line(id)).await.ok().flatten();
    }
    if let Some(trace_id) = &page.trace_id {
        page.links.lead_outside(&app.settings, id, trace_id);
    }
    if let Some(outputs) = &mut page.outputs {
        if let Some(outputs) = outputs.as_object_mut() {
            for (output, error) in app.blobs.resolve_each(outputs).await {
                tracing::debug!(execution.id = %id, %output, %error, "an output is shown by reference");
            }
        }
        images_as_links(outputs);
        if pictures == Pictures::Base64 {
            let omitted = images_inline(&app.blobs, outputs).await;
            page.images_omitted = (omitted > 0).then_some(omitted);
        }
    }
    page
}

impl Execution {
    /// The run.
    pub(crate) fn id(&self) -> ExecutionId {
        self.execution_id
    }

    /// Where it stands.
    pub(crate) fn status(&self) -> ExecutionStatus {
        self.status
    }

    /// Why it failed, to be told in other words.
    pub(crate) fn error_mut(&mut self) -> Option<&mut JobError> {
        self.error.as_mut()
    }

    /// What the output block `name` gave.
    pub(crate) fn output(&self, name: &str) -> Option<&Value> {
        self.outputs.as_ref()?.get(name)
    }

    /// What the record says; with no record, what is said of a run that has just been accepted.
    fn of_record(id: ExecutionId, record: Option<ExecutionRecord>) -> Self {
        let mut page = Self::bare(id);
        let Some(record) = record else { return page };
        let run = record.summary;
        page.workflow_id = run.workflow_id;
        page.version = run.version;
        page.status = run.status;
        page.priority = Some(record.priority);
        page.pool = record.pool;
        page.labels = Some(run.labels);
        page.batch_id = run.batch_id;
        page.created_at = Some(run.created_at);
        page.started_at = run.started_at;
        page.completed_at = run.completed_at;
        page.duration_ms = run.duration_ms;
        page.progress = record.progress.unwrap_or_default();
        page.input = Some(record.input);
        page.outputs = record.outputs;
        page.error = record.error;
        page.node_metrics = record.node_metrics.unwrap_or_else(|| json!({}));
        page.cost = record.cost;
        page.region = record.region;
        page.trace_id = record.trace_id;
        page.definition = Some(record.definition);
        page.epoch = record.epoch;
        page.schedule_id = run.schedule_id;
        page.rerun_of = run.rerun_of;
        page.callback = record.callback;
        page.jobs = run.jobs.into();
        page
    }

    fn bare(id: ExecutionId) -> Self {
        Self {
            execution_id: id,
            workflow_id: None,
            version: None,
            status: ExecutionStatus::Pending,
            priority: None,
            pool: None,
            labels: None,
            batch_id: None,
            created_at: None,
            started_at: None,
            completed_at: None,
            duration_ms: None,
            progress: Progress::default(),
            input: None,
            outputs: None,
            images_omitted: None,
            error: None,
            node_metrics: json!({}),
            cost: None,
            region: None,
            trace_id: None,
            definition: None,
            epoch: 1,
            seq: None,
            schedule_id: None,
            rerun_of: None,
            callback: None,
            jobs: JobCounts::default().into(),
            queue: None,
            unserved: None,
            links: links(id),
        }
    }

    /// What the live state knows better.
    fn update(&mut self, live: Snapshot, jobs: JobCounts) {
        // The record of a run that has ended leaves no node out.
        if live.nodes_omitted == 0 || self.node_metrics == json!({}) {
            self.node_metrics = node_metrics::of_nodes(&live.nodes);
        }
        self.duration_ms = live.completed_at.map(|ended| ended.since(live.created_at));
        self.workflow_id = live.workflow_id;
        self.status = live.status;
        self.created_at = Some(live.created_at);
        self.started_at = live.started_at;
        self.completed_at = live.completed_at;
        self.progress = live.progress;
        self.outputs = live.outputs.map(Value::Object);
        self.error = live.error;
        self.epoch = live.epoch;
        self.seq = Some(live.seq);
        self.jobs = jobs.into();
    }
}

impl From<JobCounts> for Counters {
    fn from(jobs: JobCounts) -> Self {
        Self {
            inference_jobs_pending: jobs.pending,
            inference_jobs_completed: jobs.completed,
            inference_jobs_failed: jobs.failed,
        }
    }
}
