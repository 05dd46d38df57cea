//! Runs and node runs as JSON. Times are milliseconds since the Unix epoch, as in events and snapshots.

use millrace_contracts::ExecutionStatus;
use millrace_contracts::run::NodeView;
use millrace_store::{ExecutionRecord, ExecutionSummary, JobCounts};
use serde_json::{Map, Value, json};

use super::find::Found;
use super::links::{images_as_links, links};
use crate::patience::patiently;
use crate::problem::Problem;
use crate::state::App;

/// A run's own page.
pub(crate) async fn execution(app: &App, found: Found) -> Result<Value, Problem> {
    let status = found.status();
    let Found { id, record, live } = found;
    let mut page = Map::new();
    page.insert("execution_id".into(), json!(id));
    if let Some(record) = &record {
        page.extend(recorded(record));
    }
    if let Some((snapshot, jobs)) = &live {
        let nodes = snapshot
            .nodes
            .iter()
            .filter_map(|node| Some((node.node_id.to_string(), json!(node.metrics.as_ref()?))));
        let duration_ms = snapshot.started_at.zip(snapshot.completed_at).map(|(from, to)| to.since(from));
        page.extend(fields(json!({
            "workflow_id": snapshot.workflow_id,
            "status": snapshot.status,
            "created_at": snapshot.created_at,
            "started_at": snapshot.started_at,
            "completed_at": snapshot.completed_at,
            "duration_ms": duration_ms,
            "progress": snapshot.progress,
            "outputs": snapshot.outputs,
            "error": snapshot.error,
            "node_metrics": nodes.collect::<Map<_, _>>(),
            "epoch": snapshot.epoch,
            "seq": snapshot.seq,
        })));
        page.extend(counters(*jobs));
    }
    if status == ExecutionStatus::Pending {
        // Where Redis is away, the place in the line is not known.
        if let Ok(Some(place)) = patiently(app.bus.place_in_line(id)).await {
            page.insert("queue".into(), json!(place));
        }
    }
    if let Some(outputs) = page.get_mut("outputs").filter(|outputs| !outputs.is_null()) {
        *outputs = app.blobs.resolve(outputs).await?;
        images_as_links(outputs);
    }
    page.insert("links".into(), links(id));
    Ok(Value::Object(page))
}

/// A run in a list.
pub(crate) fn summary(run: &ExecutionSummary) -> Value {
    let mut row = fields(json!({
        "execution_id": run.id,
        "workflow_id": run.workflow_id,
        "version": run.version,
        "status": run.status,
        "labels": run.labels,
        "created_at": run.created_at,
        "started_at": run.started_at,
        "completed_at": run.completed_at,
        "duration_ms": run.duration_ms,
        "error_message": run.error_message,
        "batch_id": run.batch_id,
    }));
    row.extend(origin(run));
    row.extend(counters(run.jobs));
    row.insert("links".into(), links(run.id));
    Value::Object(row)
}

/// A node run; images in its outputs get their addresses.
pub(crate) fn node(view: &NodeView) -> Value {
    let mut value = serde_json::to_value(view).expect("a node view is plain data");
    if let Some(outputs) = value.get_mut("outputs") {
        images_as_links(outputs);
    }
    value
}

fn recorded(record: &ExecutionRecord) -> Map<String, Value> {
    let run = &record.summary;
    let mut page = fields(json!({
        "workflow_id": run.workflow_id,
        "version": run.version,
        "status": run.status,
        "priority": record.priority,
        "pool": record.pool,
        "labels": run.labels,
        "batch_id": run.batch_id,
        "created_at": run.created_at,
        "started_at": run.started_at,
        "completed_at": run.completed_at,
        "duration_ms": run.duration_ms,
        "progress": record.progress.unwrap_or_default(),
        "input": record.input,
        "outputs": record.outputs,
        "error": record.error,
        "node_metrics": record.node_metrics.clone().unwrap_or_else(|| json!({})),
        "cost": record.cost,
        "region": record.region,
        "trace_id": record.trace_id,
        "definition": record.definition,
        "epoch": record.epoch,
    }));
    page.extend(origin(run));
    page.extend(counters(run.jobs));
    page
}

/// What a run comes from, if not from a request of its own: a schedule, or an earlier run.
fn origin(run: &ExecutionSummary) -> impl Iterator<Item = (String, Value)> {
    let schedule = run.schedule_id.map(|id| ("schedule_id".to_owned(), json!(id)));
    let earlier = run.rerun_of.as_ref().map(|earlier| ("rerun_of".to_owned(), json!(earlier)));
    schedule.into_iter().chain(earlier)
}

fn counters(jobs: JobCounts) -> Map<String, Value> {
    fields(json!({
        "inference_jobs_pending": jobs.pending,
        "inference_jobs_completed": jobs.completed,
        "inference_jobs_failed": jobs.failed,
    }))
}

fn fields(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}
