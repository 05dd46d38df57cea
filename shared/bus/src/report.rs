//! A worker's reports: into the inbox of the run and onto the live channel in one step. The job is acknowledged in a
//! second round, once the report is known to be in: a refused report must not take the job with it.

use millrace_contracts::message::Message;
use millrace_contracts::{Event, Job};
use redis::Cmd;

use crate::execute::message_json;
use crate::publish::event_json;
use crate::{Bus, BusError, EntryId, QueueKey, keys, scripts};

/// One report on a job.
#[derive(Debug, Clone, Copy)]
pub struct Report<'a> {
    /// The job.
    pub job: &'a Job,
    /// The `inference:*` envelopes for the live channel, of the job and of those that followed it, in their order.
    pub events: &'a [Event],
    /// The message for the orchestrator.
    pub message: &'a Message,
    /// Where the job stood, when this is its last report.
    pub done: Option<(&'a QueueKey, &'a EntryId)>,
}

impl Bus {
    /// Several reports in one pipeline, then their acknowledgements in another.
    ///
    /// # Errors
    /// Redis could not be reached. Some may be in, and none is acknowledged; repeating all is safe, for late and duplicate reports
    /// change nothing.
    pub async fn report_all(&self, reports: &[Report<'_>]) -> Result<(), BusError> {
        let commands: Result<_, BusError> =
            reports.iter().map(|report| self.report_command(report)).collect();
        self.send("report on jobs", commands?).await?;
        let done = reports.iter().filter_map(|report| report.done);
        self.settle_entries(keys::WORKERS, done.map(|(queue, entry)| (self.keys().queue(queue), entry))).await
    }

    fn report_command(&self, report: &Report<'_>) -> Result<Cmd, BusError> {
        let message = message_json(report.message)?;
        let inbox = self.keys().inbox(report.job.reply_to);
        let mut append = scripts::APPEND.on(&[&inbox], message.len() * (1 + report.events.len()) + 256);
        append.arg(keys::MESSAGE).arg(message);
        for event in report.events {
            append.arg(event.kind.channel()).arg(event_json(event)?);
        }
        Ok(append)
    }
}
