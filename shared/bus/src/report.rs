//! A worker's reports: into the inbox of the run and onto the live channel in one step. A job is acknowledged once its report is
//! known to be in, for a refused report must not take the job with it: with the next reports, or by itself.

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
}

impl Bus {
    /// Several reports, and the acknowledgements of jobs that are `done`, whose reports were in before: in one pipeline. Jobs of
    /// these reports are acknowledged by a later call, or by [`Bus::ack_jobs`].
    ///
    /// # Errors
    /// Redis could not be reached, or refuses one of them. Some may be in; repeating all is safe, for late and duplicate reports
    /// change nothing.
    pub async fn report_all(
        &self,
        reports: &[Report<'_>],
        done: &[(QueueKey, EntryId)],
    ) -> Result<(), BusError> {
        let mut commands = self.ack_commands(done);
        for report in reports {
            commands.push(self.report_command(report)?);
        }
        self.send("report on jobs", commands).await.map(drop)
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
