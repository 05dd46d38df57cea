//! A job that was asked for by itself, before the record has it: its id goes out with the acceptance, and the record learns of
//! it from the events of its run. Until then it is told by a note and by the run.

use std::time::Duration;

use millrace_contracts::run::NodeView;
use millrace_contracts::{ExecutionId, ItemPath, JobId, ModelId, NodeId, NodeStatus, Pool, UnixMillis};
use millrace_engine::NodeRecord;
use millrace_store::{JobRecord, JobStatus};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::find::{Found, find};
use crate::patience::patiently;
use crate::problem::Problem;
use crate::state::App;

/// What a job was asked for as; its first attempt.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct AskedJob {
    pub(crate) execution_id: ExecutionId,
    pub(crate) node_id: NodeId,
    pub(crate) task: String,
    pub(crate) model_id: Option<ModelId>,
    pub(crate) model_source: Option<String>,
    pub(crate) pool: Pool,
    pub(crate) at: UnixMillis,
}

/// The record has a job once it waits in its queue; behind a long line that takes a while.
const NOTED_FOR: Duration = Duration::from_secs(60 * 60);
/// One that has ended is recorded within moments.
const ENDED_NOTED_FOR: Duration = Duration::from_secs(2 * 60);

impl AskedJob {
    /// Notes it, so that its id can be asked for at once; for long where the job goes on. Where that fails, the id is known once
    /// the job is recorded.
    pub(crate) async fn note(&self, app: &App, id: JobId, goes_on: bool) {
        let note = serde_json::to_string(self).expect("a note is plain data");
        let life = if goes_on { NOTED_FOR } else { ENDED_NOTED_FOR };
        if let Err(problem) = patiently(app.bus.note_job(id, &note, life)).await {
            tracing::debug!(job.id = %id, problem = ?problem.code(), "a job could not be noted");
        }
    }

    /// The job `id` as its run stands, if it was noted.
    pub(crate) async fn find(app: &App, id: JobId) -> Result<Option<JobRecord>, Problem> {
        let note = patiently(app.bus.noted_job(id)).await?;
        let Some(asked) = note.and_then(|note| serde_json::from_str::<Self>(&note).ok()) else {
            return Ok(None);
        };
        let found = find(app, asked.execution_id).await?;
        let node = node_of(app, &found, &asked.node_id).await;
        Ok(Some(asked.record(id, found.status().is_terminal(), node.as_ref())))
    }

    fn record(self, id: JobId, run_has_ended: bool, node: Option<&NodeView>) -> JobRecord {
        let mut job = JobRecord {
            id,
            execution_id: self.execution_id,
            node_id: self.node_id,
            path: ItemPath::root(),
            task: self.task,
            model_id: self.model_id,
            model_source: self.model_source,
            pool: self.pool,
            worker_id: None,
            status: if run_has_ended { JobStatus::Cancelled } else { JobStatus::Pending },
            submitted_at: self.at,
            started_at: None,
            completed_at: None,
            duration_ms: None,
            result: None,
            error_message: None,
            error_kind: None,
            attempt: 1,
            metadata: json!({}),
            cost: None,
        };
        if let Some(node) = node {
            overlay(&mut job, node);
        }
        job
    }
}

/// The node run, from the live state or else from the record.
async fn node_of(app: &App, found: &Found, node: &NodeId) -> Option<NodeView> {
    if let Some((snapshot, _)) = &found.live {
        return snapshot.nodes.iter().find(|view| view.node_id == *node).cloned();
    }
    app.store.node_runs().list(found.id, Some(node), None, 1).await.ok()?.pop()
}

/// Adds to jobs that have not ended, as far as is recorded, what the live states of their runs know beyond that.
pub(crate) async fn overlay_all(app: &App, jobs: &mut [JobRecord]) -> Result<(), Problem> {
    let mut open: Vec<&mut JobRecord> = jobs.iter_mut().filter(|job| !is_over(job.status)).collect();
    let field = |job: &&mut JobRecord| (job.execution_id, NodeRecord::field(&job.node_id, &job.path));
    let fields: Vec<(ExecutionId, String)> = open.iter().map(field).collect();
    for (job, bytes) in open.iter_mut().zip(patiently(app.bus.fields_of(&fields)).await?) {
        // None of a run that Redis has no more, or not yet.
        let node = bytes.map(|bytes| serde_json::from_slice::<NodeRecord>(&bytes)).transpose();
        if let Some(node) = node.map_err(Problem::internal)? {
            overlay(job, &node.view());
        }
    }
    Ok(())
}

fn is_over(status: JobStatus) -> bool {
    matches!(status, JobStatus::Completed | JobStatus::Failed | JobStatus::Cancelled)
}

/// What a job's node run knows beyond `job`: the record is told of a job's start only with its end, and of that a moment later.
fn overlay(job: &mut JobRecord, node: &NodeView) {
    if node.attempt > job.attempt {
        job.status = JobStatus::Failed;
        fail(job, node);
        return;
    }
    job.status = match node.status {
        NodeStatus::Pending => return,
        NodeStatus::Queued => JobStatus::Queued,
        NodeStatus::Running => JobStatus::Running,
        NodeStatus::Completed => JobStatus::Completed,
        NodeStatus::Failed | NodeStatus::TimedOut => JobStatus::Failed,
        NodeStatus::Skipped | NodeStatus::Cancelled => JobStatus::Cancelled,
    };
    job.submitted_at = node.queued_at.unwrap_or(job.submitted_at);
    job.started_at = node.started_at;
    job.worker_id.clone_from(&node.worker_id);
    if !node.status.is_terminal() {
        return;
    }
    job.completed_at = node.completed_at;
    job.duration_ms = node.started_at.zip(node.completed_at).map(|(begun, ended)| ended.since(begun));
    job.metadata = node.metrics.as_ref().map_or_else(|| json!({}), |metrics| json!(metrics));
    match job.status {
        JobStatus::Completed => job.result = node.outputs.clone().map(Value::Object),
        _ => fail(job, node),
    }
}

fn fail(job: &mut JobRecord, node: &NodeView) {
    job.error_message = node.error.as_ref().map(|error| error.message.clone());
    job.error_kind = node.error.as_ref().map(|error| error.kind.as_str().to_owned());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked() -> AskedJob {
        AskedJob {
            execution_id: ExecutionId::generate(),
            node_id: "inference".into(),
            task: "detection@1".to_owned(),
            model_id: Some("m".into()),
            model_source: None,
            pool: "fast".into(),
            at: UnixMillis(5),
        }
    }

    fn told(status: &str, further: &Value) -> JobRecord {
        let mut view = json!({"node_id": "inference", "block": "detection@1", "status": status, "attempt": 1,
            "queued_at": 10, "started_at": 12, "completed_at": 20, "worker_id": "w1",
            "error": {"kind": "TIMEOUT", "message": "too slow", "retryable": true}, "outputs": {"count": 2}});
        let further = further.as_object().cloned().unwrap_or_default();
        view.as_object_mut().unwrap().extend(further);
        let node: NodeView = serde_json::from_value(view).unwrap();
        let asked = asked();
        let id = JobId::of(asked.execution_id, &asked.node_id, &ItemPath::root(), 1);
        asked.record(id, false, Some(&node))
    }

    #[test]
    fn a_job_is_told_by_its_node_run() {
        let running = told("running", &json!({}));
        assert_eq!((running.status, running.started_at), (JobStatus::Running, Some(UnixMillis(12))));
        assert_eq!((running.completed_at, running.result, running.error_message), (None, None, None));
        let done = told("completed", &json!({"error": null}));
        assert_eq!((done.status, done.duration_ms), (JobStatus::Completed, Some(8)));
        assert_eq!(done.result, Some(json!({"count": 2})));
        for (status, further) in
            [("failed", json!({})), ("timed_out", json!({})), ("queued", json!({"attempt": 2}))]
        {
            let failed = told(status, &further);
            assert_eq!((failed.status, failed.result), (JobStatus::Failed, None), "{status}");
            assert_eq!(failed.error_kind.as_deref(), Some("TIMEOUT"), "{status}");
        }
        assert_eq!(told("cancelled", &json!({})).status, JobStatus::Cancelled);
    }

    #[test]
    fn a_job_that_has_not_begun_waits_or_never_will() {
        let id = JobId::of(ExecutionId::generate(), &"inference".into(), &ItemPath::root(), 1);
        assert_eq!(asked().record(id, false, None).status, JobStatus::Pending);
        assert_eq!(asked().record(id, true, None).status, JobStatus::Cancelled);
    }
}
