//! A job's reports: the envelope for the live channel and the message for the orchestrator, which say the same.

use millrace_bus::{Bus, BusError, JobDelivery};
use millrace_contracts::event::Source;
use millrace_contracts::job::{JobOutcome, JobReport};
use millrace_contracts::message::Message;
use millrace_contracts::{Event, EventType, Job, UnixMillis, WorkerId};
use serde_json::json;

/// Speaks for one job.
pub(super) struct Reporter<'a> {
    pub(super) bus: &'a Bus,
    pub(super) worker: &'a WorkerId,
    pub(super) delivery: &'a JobDelivery,
    pub(super) started_at: UnixMillis,
}

impl Reporter<'_> {
    /// Says that the job was taken.
    pub(super) async fn started(&self) -> Result<(), BusError> {
        self.send(JobOutcome::Started, false).await
    }

    /// Says how it went, and acknowledges it.
    pub(super) async fn ended(&self, outcome: JobOutcome) -> Result<(), BusError> {
        self.send(outcome, true).await
    }

    /// Says how it went and leaves it unacknowledged.
    pub(super) async fn ended_unacknowledged(&self, outcome: JobOutcome) -> Result<(), BusError> {
        self.send(outcome, false).await
    }

    async fn send(&self, outcome: JobOutcome, done: bool) -> Result<(), BusError> {
        let job = &self.delivery.job;
        let kind = match &outcome {
            JobOutcome::Started => EventType::InferenceStarted,
            JobOutcome::Completed { .. } => EventType::InferenceCompleted,
            JobOutcome::Failed { .. } => EventType::InferenceFailed,
        };
        let now = UnixMillis::now();
        let report = JobReport {
            job_id: job.id,
            task: job.task.clone(),
            model_id: job.model.as_ref().map(|model| model.id.clone()),
            worker_id: self.worker.clone(),
            started_at: self.started_at,
            outcome,
        };
        let event = self.envelope(kind, now, &report);
        let message = Message::Report {
            execution_id: job.execution_id,
            node_id: job.node_id.clone(),
            path: job.path.clone(),
            attempt: job.attempt,
            at: now,
            report: Box::new(report),
        };
        let done = done.then_some((&self.delivery.queue, &self.delivery.entry));
        self.bus.report(job, &event, &message, done).await
    }

    fn envelope(&self, kind: EventType, now: UnixMillis, report: &JobReport) -> Event {
        let job: &Job = &self.delivery.job;
        // The same for every copy of one fact: a job that is run again by another worker is another fact.
        let name = kind.channel().rsplit(':').next().unwrap_or_default();
        let id = format!("{}/{name}/{}", job.id, self.worker);
        let mut event = Event::new(kind, Source::Worker, id, now, json!(report));
        event.subject = Some(job.node_id.to_string());
        event.traceparent.clone_from(&job.traceparent);
        event.execution_id = Some(job.execution_id);
        event.workflow_id = job.workflow_id;
        event.node_id = Some(job.node_id.clone());
        event.path = (job.path.depth() > 0).then(|| job.path.clone());
        event.attempt = Some(job.attempt);
        event
    }
}
