//! A worker's reports: into the inbox of the run and onto the live channel in one step. The job is acknowledged in a
//! second round, once the report is known to be in: a refused report must not take the job with it.

use millrace_contracts::message::Message;
use millrace_contracts::{Event, Job};
use redis::Cmd;

use crate::execute::message_json;
use crate::publish::{event_json, publish_command};
use crate::{Bus, BusError, EntryId, QueueKey, keys, scripts};

/// One report on a job.
#[derive(Debug, Clone, Copy)]
pub struct Report<'a> {
    /// The job.
    pub job: &'a Job,
    /// The `inference:*` envelope for the live channel.
    pub event: &'a Event,
    /// The message for the orchestrator.
    pub message: &'a Message,
    /// Of jobs that followed it: published after it.
    pub further: &'a [Event],
    /// Where the job stood, when this is its last report.
    pub done: Option<(&'a QueueKey, &'a EntryId)>,
}

impl Bus {
    /// Reports on a job; with `done` the job is acknowledged afterwards.
    ///
    /// # Errors
    /// Redis could not be reached. The report may be in; repeating it is safe, for late and duplicate reports change
    /// nothing.
    pub async fn report(
        &self,
        job: &Job,
        event: &Event,
        message: &Message,
        done: Option<(&QueueKey, &EntryId)>,
    ) -> Result<(), BusError> {
        self.report_all(&[Report { job, event, message, further: &[], done }]).await
    }

    /// Several reports in one pipeline, then their acknowledgements in another.
    ///
    /// # Errors
    /// As [`Bus::report`], for any of them; none is then acknowledged.
    pub async fn report_all(&self, reports: &[Report<'_>]) -> Result<(), BusError> {
        let mut commands = Vec::with_capacity(reports.len());
        for report in reports {
            commands.push(self.report_command(report)?);
            for event in report.further {
                commands.push(publish_command(event)?);
            }
        }
        self.send("report on jobs", commands).await?;
        let done = reports.iter().filter_map(|report| report.done);
        self.settle_entries(keys::WORKERS, done.map(|(queue, entry)| (self.keys().queue(queue), entry))).await
    }

    fn report_command(&self, report: &Report<'_>) -> Result<Cmd, BusError> {
        let message = message_json(report.message)?;
        let event = event_json(report.event)?;
        let inbox = self.keys().inbox(report.job.reply_to);
        let mut append = scripts::APPEND.on(&[&inbox], message.len() + event.len() + 256);
        append.arg(keys::MESSAGE).arg(message).arg(report.event.kind.channel()).arg(event);
        Ok(append)
    }
}
