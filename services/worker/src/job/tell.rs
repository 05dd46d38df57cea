//! What the worker says of an ended job by itself: a line in its log that reads alone, and counts.

use millrace_contracts::job::JobOutcome;
use millrace_contracts::{Job, JobMetrics};
use millrace_telemetry::Traceparent;

/// Says it.
pub(super) fn tell(job: &Job, outcome: &JobOutcome) {
    let (how, metrics) = match outcome {
        JobOutcome::Started => return,
        JobOutcome::Completed { metrics, .. } => {
            tracing::debug!(
                job.id = %job.id, job.task = job.task, execution.id = %job.execution_id, node.id = %job.node_id,
                trace.id = trace_id(job), model.id = model_id(job), model.warm = is_warm(job, metrics),
                duration_ms = metrics.total_time_ms, batch.rows = metrics.batch_size, "job completed"
            );
            ("completed", metrics)
        }
        JobOutcome::Failed { error, metrics } => {
            tracing::info!(
                job.id = %job.id, job.task = job.task, execution.id = %job.execution_id, node.id = %job.node_id,
                trace.id = trace_id(job), model.id = model_id(job), model.warm = is_warm(job, metrics),
                duration_ms = metrics.total_time_ms, error.kind = error.kind.as_str(), error.message = error.message,
                "job failed"
            );
            (error.kind.as_str(), metrics)
        }
    };
    metrics::counter!("millrace_worker_jobs_total", "task" => job.task.clone(), "outcome" => how)
        .increment(1);
    metrics::histogram!("millrace_worker_job_seconds", "task" => job.task.clone())
        .record(metrics.total_time_ms / 1000.0);
    metrics::histogram!("millrace_worker_queue_wait_seconds", "pool" => job.pool.to_string())
        .record(metrics.queue_wait_ms / 1000.0);
}

/// The trace of the run that the job is of, for who follows it over processes.
fn trace_id(job: &Job) -> Option<String> {
    let parent: Traceparent = job.traceparent.as_deref()?.parse().ok()?;
    Some(parent.trace_id())
}

fn model_id(job: &Job) -> Option<&str> {
    job.model.as_ref().map(|model| model.id.as_str())
}

/// Whether the job's model was there; none for a job without one.
fn is_warm(job: &Job, metrics: &JobMetrics) -> Option<bool> {
    job.model.as_ref().map(|_| metrics.model_load_time_ms == 0.0)
}
