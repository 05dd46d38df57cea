//! The events of a whole run, as the api and the orchestrator say them: what benches of the record are made of.

use millrace_contracts::event::Source;
use millrace_contracts::job::{JobMetrics, Priority};
use millrace_contracts::message::Accepted;
use millrace_contracts::{BlobId, Event, EventType, ExecutionId, ItemPath, JobId, UnixMillis};
use serde_json::{Map, Value, json};

const NODES: usize = 10;

/// A run that was accepted now.
#[must_use]
pub fn accepted_run() -> Accepted {
    Accepted {
        execution_id: ExecutionId::generate(),
        workflow_id: None,
        version: None,
        definition: BlobId::of(b"{}"),
        input: Map::from_iter([("min".to_owned(), json!(0.4))]),
        priority: Priority::Normal,
        weight: 1,
        pool: None,
        timeout_ms: None,
        created_at: UnixMillis::now(),
        traceparent: None,
        schedule_id: None,
        rerun_of: None,
        callback_url: None,
        epoch: 1,
        started_at: None,
        region: None,
    }
}

/// The events of several runs that are under way at once, one of each in turn. Each has ten jobs: 12 durable events and 11
/// records.
///
/// # Panics
/// Without a run.
#[must_use]
pub fn interleaved_events(runs: &[Accepted]) -> Vec<Event> {
    let stories: Vec<Vec<Event>> = runs.iter().map(story).collect();
    (0..stories[0].len()).flat_map(|step| stories.iter().map(move |story| story[step].clone())).collect()
}

fn story(accepted: &Accepted) -> Vec<Event> {
    let run = accepted.execution_id;
    let command = serde_json::to_value(accepted).expect("a command is plain data");
    let mut events = vec![event(run, EventType::WorkflowExecute, None, command.clone())];
    let mut seq = 1;
    events.push(event(
        run,
        EventType::WorkflowStarted,
        Some(seq),
        json!({"partition": 3, "accepted": command}),
    ));
    let nodes: Vec<String> = (0..NODES).map(|number| format!("node{number}")).collect();
    for node in &nodes {
        let mut queued = event(run, EventType::InferenceQueued, None, job(run, node, "job_id"));
        queued.node_id = Some(node.as_str().into());
        queued.attempt = Some(1);
        events.push(queued);
    }
    for node in &nodes {
        seq += 1;
        let metrics =
            JobMetrics { inference_time_ms: 3.25, worker_id: Some("w1".into()), ..JobMetrics::default() };
        let data = json!({
            "node_id": node, "block": "detection@1", "status": "completed", "attempt": 1,
            "outputs": {"count": 2, "classes": ["circle", "square"]}, "metrics": metrics,
            "queued_at": accepted.created_at, "started_at": accepted.created_at, "completed_at": UnixMillis::now(),
            "worker_id": "w1", "job": job(run, node, "id"),
        });
        let mut completed = event(run, EventType::NodeCompleted, Some(seq), data);
        completed.node_id = Some(node.as_str().into());
        completed.attempt = Some(1);
        events.push(completed);
    }
    let end = json!({
        "status": "completed", "started_at": accepted.created_at, "completed_at": UnixMillis::now(), "duration_ms": 9,
        "progress": {"total": NODES, "completed": NODES, "failed": 0, "skipped": 0, "running": 0},
        "outputs": {"answer": {"count": 2}}, "error": null, "jobs": {"completed": NODES, "failed": 0},
    });
    events.push(event(run, EventType::WorkflowCompleted, Some(seq + 1), end));
    events
}

fn job(run: ExecutionId, node: &str, id: &str) -> Value {
    json!({
        id: JobId::of(run, &node.into(), &ItemPath::root(), 1), "task": "detection@1", "pool": "fast",
        "model_id": "shapes-detector", "model_source": "pretrained", "queued_at": UnixMillis::now(),
    })
}

fn event(run: ExecutionId, kind: EventType, seq: Option<u64>, data: Value) -> Event {
    let id = seq.map_or_else(|| format!("{run}/{}", kind.sse_name()), |seq| format!("{run}/1-{seq}"));
    let mut event = Event::new(kind, Source::Orchestrator, id, UnixMillis::now(), data);
    event.execution_id = Some(run);
    event.epoch = seq.map(|_| 1);
    event.seq = seq;
    event
}
