//! A job's reports: the envelopes for the live channel and the message for the orchestrator, which say the same. Of jobs that
//! follow another one the orchestrator is told with that one; the live channel hears of each as of any other.

use millrace_bus::{Bus, BusError, JobDelivery, Report};
use millrace_contracts::event::Source;
use millrace_contracts::job::{JobOutcome, JobReport};
use millrace_contracts::message::Message;
use millrace_contracts::{Event, EventType, FollowUpReport, Job, UnixMillis, WorkerId};
use serde_json::json;

use super::run::Ended;

/// Speaks for a job in hand and for those that follow it.
pub(super) struct Reporter<'a> {
    pub(super) bus: &'a Bus,
    pub(super) worker: &'a WorkerId,
    pub(super) delivery: &'a JobDelivery,
}

impl Reporter<'_> {
    /// Says that a job was begun: of one that follows, on the live channel alone.
    pub(super) async fn started(&self, job: &Job, at: UnixMillis) -> Result<(), BusError> {
        let report = self.says(job, at, JobOutcome::Started);
        let event = self.envelope(job, at, &report);
        if job.id != self.delivery.job.id {
            return self.bus.publish(&event).await;
        }
        self.bus.report(job, &event, &self.message(at, report, Vec::new()), None).await
    }

    /// Says how the jobs went, the one in hand first, and acknowledges that.
    pub(super) async fn ended(&self, ended: &[Ended]) -> Result<(), BusError> {
        self.tell(ended, true).await
    }

    /// Says how the jobs went and leaves the one in hand unacknowledged.
    pub(super) async fn ended_unacknowledged(&self, ended: &[Ended]) -> Result<(), BusError> {
        self.tell(ended, false).await
    }

    async fn tell(&self, ended: &[Ended], done: bool) -> Result<(), BusError> {
        let now = UnixMillis::now();
        let follows = ended.len() > 1;
        let says = |ended: &Ended| JobReport {
            // Without others its end and the report are one.
            ended_at: follows.then_some(ended.ended_at),
            ..self.says(&ended.job, ended.started_at, ended.outcome.clone())
        };
        let mut reports: Vec<JobReport> = ended.iter().map(says).collect();
        let events: Vec<Event> = ended
            .iter()
            .zip(&reports)
            .map(|(ended, report)| self.envelope(&ended.job, now, report))
            .collect();
        let Some((event, further)) = events.split_first() else { return Ok(()) };
        let follow_up =
            |(ended, report): (&Ended, _)| FollowUpReport { node_id: ended.job.node_id.clone(), report };
        let then = ended.iter().skip(1).zip(reports.split_off(1)).map(follow_up);
        let first = reports.remove(0);
        let message = self.message(now, first, then.collect());
        let done = done.then_some((&self.delivery.queue, &self.delivery.entry));
        let report = Report { job: &self.delivery.job, event, message: &message, further, done };
        self.bus.report_all(&[report]).await
    }

    fn says(&self, job: &Job, started_at: UnixMillis, outcome: JobOutcome) -> JobReport {
        JobReport {
            job_id: job.id,
            task: job.task.clone(),
            model_id: job.model.as_ref().map(|model| model.id.clone()),
            worker_id: self.worker.clone(),
            started_at,
            ended_at: None,
            outcome,
        }
    }

    fn message(&self, at: UnixMillis, report: JobReport, then: Vec<FollowUpReport>) -> Message {
        let job = &self.delivery.job;
        Message::Report {
            execution_id: job.execution_id,
            node_id: job.node_id.clone(),
            path: job.path.clone(),
            attempt: job.attempt,
            at,
            report: Box::new(report),
            then,
        }
    }

    fn envelope(&self, job: &Job, now: UnixMillis, report: &JobReport) -> Event {
        let kind = match &report.outcome {
            JobOutcome::Started => EventType::InferenceStarted,
            JobOutcome::Completed { .. } => EventType::InferenceCompleted,
            JobOutcome::Failed { .. } => EventType::InferenceFailed,
        };
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
