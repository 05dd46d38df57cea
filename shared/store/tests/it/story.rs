//! Runs as the api and the engine tell them: `photo` (inline), `detect` (a job), `answer` (inline).

use millrace_contracts::event::Source;
use millrace_contracts::job::JobMetrics;
use millrace_contracts::message::Accepted;
use millrace_contracts::run::NodeView;
use millrace_contracts::{
    ErrorKind, Event, EventType, ExecutionId, ItemPath, JobError, JobId, NodeStatus, UnixMillis,
};
use millrace_store::AcceptedRun;
use millrace_testkit::accepted_run;
use serde_json::{Map, Value, json};

/// A run and what is said about it.
#[derive(Clone)]
pub(crate) struct Story {
    pub(crate) run: ExecutionId,
    pub(crate) accepted: Accepted,
    pub(crate) events: Vec<Event>,
    epoch: u32,
    seq: u64,
    now: UnixMillis,
    metrics: JobMetrics,
}

impl Story {
    pub(crate) fn new() -> Self {
        let run = ExecutionId::generate();
        let now = UnixMillis::now();
        let accepted =
            Accepted { execution_id: run, timeout_ms: Some(60_000), created_at: now, ..accepted_run() };
        let metrics = JobMetrics { inference_time_ms: 12.5, batch_size: 1, ..JobMetrics::default() };
        Self { run, accepted, events: Vec::new(), epoch: 1, seq: 0, now, metrics }
    }

    /// What jobs from now on take of their worker, milliseconds.
    pub(crate) fn share(&mut self, worker_share_ms: f64) -> &mut Self {
        self.metrics.worker_share_ms = worker_share_ms;
        self
    }

    /// Whether results from now on come from the cache.
    pub(crate) fn cached(&mut self, cached: bool) -> &mut Self {
        self.metrics.cached = cached;
        self
    }

    /// A whole run that completes: eight events, six of them durable.
    pub(crate) fn completed() -> Self {
        let mut story = Self::new();
        story.execute().started();
        story.node("photo", NodeStatus::Completed, &json!({"image": "x"}));
        story.queued("detect", 1).detected("detect", 1);
        story.node("answer", NodeStatus::Completed, &json!({"count": 2}));
        story.ended("completed", &json!({"answer": {"count": 2}}));
        story
    }

    pub(crate) fn run(&self) -> AcceptedRun {
        AcceptedRun::new(self.accepted.clone())
    }

    pub(crate) fn job(&self, node: &str, attempt: u32) -> JobId {
        JobId::of(self.run, &node.into(), &ItemPath::root(), attempt)
    }

    /// The log starts again.
    pub(crate) fn rebuilt(&mut self) -> &mut Self {
        self.epoch += 1;
        self.seq = 0;
        self.accepted.epoch = self.epoch;
        self
    }

    pub(crate) fn execute(&mut self) -> &mut Self {
        let data = serde_json::to_value(&self.accepted).expect("a command is plain data");
        let event = self.event(EventType::WorkflowExecute, data);
        self.events.push(event);
        self
    }

    pub(crate) fn started(&mut self) -> &mut Self {
        let data = json!({"version": null, "partition": 3, "accepted": self.accepted});
        self.durable(EventType::WorkflowStarted, data)
    }

    pub(crate) fn queued(&mut self, node: &str, attempt: u32) -> &mut Self {
        let mut event = self.event(EventType::InferenceQueued, self.job_json(node, attempt));
        event.id = format!("{}:queued", self.job(node, attempt));
        event.node_id = Some(node.into());
        event.attempt = Some(attempt);
        self.events.push(event);
        self
    }

    /// A job's node run completed.
    pub(crate) fn detected(&mut self, node: &str, attempt: u32) -> &mut Self {
        let mut view = self.view(node, NodeStatus::Completed, attempt);
        view.outputs = Some(Map::from_iter([("count".to_owned(), json!(2))]));
        view.metrics = Some(self.metrics.clone());
        view.worker_id = Some("w1".into());
        self.node_event(EventType::NodeCompleted, &view, Some(attempt))
    }

    /// An attempt failed and another will follow.
    pub(crate) fn retrying(&mut self, node: &str, attempt: u32) -> &mut Self {
        let mut view = self.view(node, NodeStatus::Pending, attempt);
        view.error = Some(JobError::new(ErrorKind::OutOfMemory, "no room for the model"));
        self.node_event(EventType::NodeRetrying, &view, Some(attempt))
    }

    pub(crate) fn failed(&mut self, node: &str, attempt: u32) -> &mut Self {
        let mut view = self.view(node, NodeStatus::Failed, attempt);
        view.error = Some(JobError::new(ErrorKind::InvalidInput, "not an image"));
        self.node_event(EventType::NodeFailed, &view, Some(attempt))
    }

    /// A node run without a job, in a terminal state.
    pub(crate) fn node(&mut self, node: &str, status: NodeStatus, outputs: &Value) -> &mut Self {
        let mut view = self.view(node, status, 1);
        view.outputs = outputs.as_object().cloned();
        let kind = match status {
            NodeStatus::Completed => EventType::NodeCompleted,
            NodeStatus::Skipped => EventType::NodeSkipped,
            NodeStatus::Cancelled => EventType::NodeCancelled,
            _ => EventType::NodeFailed,
        };
        self.node_event(kind, &view, None)
    }

    pub(crate) fn ended(&mut self, status: &str, outputs: &Value) -> &mut Self {
        let kind = match status {
            "completed" => EventType::WorkflowCompleted,
            "cancelled" => EventType::WorkflowCancelled,
            _ => EventType::WorkflowFailed,
        };
        let error = (status == "failed").then(|| JobError::new(ErrorKind::InvalidInput, "not an image"));
        let data = json!({
            "status": status, "started_at": self.accepted.created_at, "completed_at": self.now, "duration_ms": 42,
            "progress": {"total": 3, "completed": 3, "failed": 0, "skipped": 0, "running": 0},
            "outputs": outputs, "error": error, "jobs": {"completed": 1, "failed": 0},
        });
        self.durable(kind, data)
    }

    /// Any durable event.
    pub(crate) fn durable(&mut self, kind: EventType, data: Value) -> &mut Self {
        self.seq += 1;
        let mut event = self.event(kind, data);
        event.id = format!("{}/{}-{}", self.run, self.epoch, self.seq);
        event.source = Source::Orchestrator.as_str().to_owned();
        event.epoch = Some(self.epoch);
        event.seq = Some(self.seq);
        self.events.push(event);
        self
    }

    fn node_event(&mut self, kind: EventType, view: &NodeView, job_attempt: Option<u32>) -> &mut Self {
        let mut data = serde_json::to_value(view).expect("a view is plain data");
        if let Some(attempt) = job_attempt {
            let mut job = self.job_json(view.node_id.as_str(), attempt);
            let id = job["job_id"].take();
            job.as_object_mut().expect("an object").retain(|name, _| name != "job_id");
            job["id"] = id;
            data["job"] = job;
        }
        self.durable(kind, data);
        let event = self.events.last_mut().expect("one was just added");
        event.node_id = Some(view.node_id.clone());
        event.attempt = Some(view.attempt);
        self
    }

    fn job_json(&self, node: &str, attempt: u32) -> Value {
        json!({
            "job_id": self.job(node, attempt), "task": "detection@1", "pool": "fast",
            "model_id": "shapes-detector", "model_source": "pretrained", "queued_at": self.accepted.created_at,
        })
    }

    fn view(&self, node: &str, status: NodeStatus, attempt: u32) -> NodeView {
        NodeView {
            node_id: node.into(),
            path: ItemPath::root(),
            block: "detection@1".to_owned(),
            status,
            attempt,
            outputs: None,
            error: None,
            metrics: None,
            queued_at: Some(self.accepted.created_at),
            started_at: Some(self.accepted.created_at),
            completed_at: status.is_terminal().then_some(self.now),
            worker_id: None,
            skipped_ports: Vec::new(),
            origin: None,
        }
    }

    fn event(&mut self, kind: EventType, data: Value) -> Event {
        self.now = UnixMillis(self.now.0 + 7);
        let id = format!("{}/{}", self.run, kind.sse_name());
        let mut event = Event::new(kind, Source::Api, id, self.now, data);
        event.execution_id = Some(self.run);
        event
    }
}
