//! A job's reports: the envelopes for the live channel and the message for the orchestrator, which say the same. Of jobs that
//! follow another one the orchestrator is told with that one; the live channel hears of each as of any other.

use std::sync::Arc;
use std::time::Duration;

use millrace_bus::{Bus, JobDelivery};
use millrace_contracts::event::Source;
use millrace_contracts::job::{JobOutcome, JobReport};
use millrace_contracts::message::Message;
use millrace_contracts::{Event, EventType, FollowUpReport, Job, UnixMillis, WorkerId};
use serde_json::{Value, json};

use super::run::Ended;
use crate::post::{Post, PostError, Said};

/// Speaks for a job in hand and for those that follow it.
pub(super) struct Reporter<'a> {
    pub(super) post: &'a Post,
    pub(super) bus: &'a Bus,
    pub(super) worker: &'a WorkerId,
    pub(super) delivery: &'a JobDelivery,
}

impl Reporter<'_> {
    /// Says that a job was begun: of one that follows, on the live channel alone.
    pub(super) async fn started(&self, job: &Arc<Job>, at: UnixMillis) -> Result<(), PostError> {
        let report = self.says(job, at, JobOutcome::Started);
        let event = self.envelope(job, at, &report);
        if job.id != self.delivery.job.id {
            return Ok(self.bus.publish(&event).await?);
        }
        let message = self.message(at, (report, false), Vec::new());
        self.post
            .send(Said {
                job: Arc::clone(job),
                events: [event].into(),
                message: message.into(),
                done: None,
                patience: Duration::ZERO,
            })
            .await
    }

    /// What is to be said of how the jobs went, the one in hand first, and of the starts that nobody was told of. With `done` that
    /// one is acknowledged; none when there are none. It may wait for others as long as `patience`.
    pub(super) fn ended(&self, ended: &[Ended], done: bool, patience: Duration) -> Option<Said> {
        let now = UnixMillis::now();
        let first = ended.first()?;
        let follows = ended.len() > 1;
        let mut events = Vec::with_capacity(2 * ended.len());
        let mut reports = Vec::with_capacity(ended.len());
        for ended in ended {
            if ended.untold {
                let start = self.says(&ended.job, ended.started_at, JobOutcome::Started);
                events.push(self.envelope(&ended.job, ended.started_at, &start));
            }
            let report = JobReport {
                // Without others its end and the report are one.
                ended_at: follows.then_some(ended.ended_at),
                ..self.says(&ended.job, ended.started_at, ended.outcome.clone())
            };
            events.push(self.envelope(&ended.job, now, &report));
            reports.push(report);
        }
        let mut reports = reports.into_iter();
        let report = reports.next()?;
        let follow_up =
            |(ended, report): (&Ended, _)| FollowUpReport { node_id: ended.job.node_id.clone(), report };
        let then = ended.iter().skip(1).zip(reports).map(follow_up).collect();
        let message = self.message(now, (report, first.untold), then);
        let done = done.then(|| (self.delivery.queue.clone(), self.delivery.entry.clone()));
        let job = Arc::clone(&first.job);
        Some(Said { job, events: events.into(), message: message.into(), done, patience })
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

    fn message(
        &self,
        at: UnixMillis,
        (report, with_start): (JobReport, bool),
        then: Vec<FollowUpReport>,
    ) -> Message {
        let job = &self.delivery.job;
        Message::Report {
            execution_id: job.execution_id,
            node_id: job.node_id.clone(),
            path: job.path.clone(),
            attempt: job.attempt,
            at,
            report: Box::new(report),
            with_start,
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
        about(job, kind, (id, now), json!(report))
    }
}

/// An envelope about a job.
pub(super) fn about(job: &Job, kind: EventType, (id, now): (String, UnixMillis), data: Value) -> Event {
    let mut event = Event::new(kind, Source::Worker, id, now, data);
    event.subject = Some(job.node_id.to_string());
    event.traceparent.clone_from(&job.traceparent);
    event.execution_id = Some(job.execution_id);
    event.workflow_id = job.workflow_id;
    event.node_id = Some(job.node_id.clone());
    event.path = (job.path.depth() > 0).then(|| job.path.clone());
    event.attempt = Some(job.attempt);
    event
}
