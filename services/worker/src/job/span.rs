//! A job as a span of its run's trace, for who exports traces. Where nobody does it is never made.

use millrace_contracts::Job;
use millrace_contracts::job::JobOutcome;
use tracing::Span;
use tracing::field::Empty;

/// The span of a job that begins.
pub(super) fn begin(job: &Job) -> Span {
    let span = tracing::info_span!(
        target: "millrace_spans", "job",
        otel.name = job.task,
        otel.status_code = Empty,
        job.id = %job.id,
        execution.id = %job.execution_id,
        node.id = %job.node_id,
        model.id = job.model.as_ref().map(|model| model.id.as_str()),
        pool = %job.pool,
        attempt = job.attempt,
        batch.rows = Empty,
        queue_wait_ms = Empty,
        model_load_ms = Empty,
        inference_ms = Empty,
        error.kind = Empty,
        error.message = Empty,
    );
    if !span.is_disabled() {
        millrace_telemetry::follow(&span, job.traceparent.as_deref());
    }
    span
}

/// How it ended.
pub(super) fn end(span: &Span, outcome: &JobOutcome) {
    let metrics = match outcome {
        JobOutcome::Started => return,
        JobOutcome::Completed { metrics, .. } => metrics,
        JobOutcome::Failed { error, metrics } => {
            span.record("otel.status_code", "ERROR");
            span.record("error.kind", error.kind.as_str());
            span.record("error.message", &error.message);
            metrics
        }
    };
    span.record("batch.rows", metrics.batch_size);
    span.record("queue_wait_ms", metrics.queue_wait_ms);
    span.record("model_load_ms", metrics.model_load_time_ms);
    span.record("inference_ms", metrics.inference_time_ms);
}
