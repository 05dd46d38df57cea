//! Jobs of runs that have ended: none of them is given out any more. What a worker has in hand already is told by
//! [`Bus::abandon`].

use std::collections::HashSet;
use std::time::Duration;

use millrace_contracts::job::Priority;
use millrace_contracts::{ExecutionId, UnixMillis};

use super::key::QueueName;
use super::reader::JobDelivery;
use crate::{Bus, BusError, keys, reply, scripts};

/// A run that ended is remembered by the queues for so long. Its jobs are dropped when their turn comes; longer than this
/// nothing waits that anybody works on.
const REMEMBERED: Duration = Duration::from_secs(3600);

impl Bus {
    /// Lets no job of `runs` be given out any more, in any queue: neither those that wait nor those that come in later,
    /// within an hour. One script per queue.
    ///
    /// # Errors
    /// Redis could not be reached; repeating it is harmless.
    pub async fn drop_runs(&self, runs: &[ExecutionId]) -> Result<(), BusError> {
        if runs.is_empty() {
            return Ok(());
        }
        let now = UnixMillis::now();
        let drop_from = |name: QueueName| {
            let streams = Priority::ALL.map(|priority| self.keys().queue(&name.at(priority)));
            let keys = [&*self.keys().gone(&name), &streams[0], &streams[1], &streams[2]];
            let mut command = scripts::DROP_RUNS.on(&keys, runs.len() * 40 + 128);
            command.arg(keys::WORKERS).arg(now.0).arg(crate::lease::milliseconds(REMEMBERED));
            for run in runs {
                command.arg(run.to_string());
            }
            command
        };
        let queues = self.registered_queues().await?;
        let commands = queues.into_iter().map(|(name, _)| drop_from(name)).collect();
        self.send("drop jobs of runs that ended", commands).await.map(drop)
    }

    /// Those of `deliveries` that are still wanted; the others are acknowledged. For jobs taken over from dead workers,
    /// which no queue has looked at.
    pub(super) async fn still_wanted(
        &self,
        deliveries: Vec<JobDelivery>,
    ) -> Result<Vec<JobDelivery>, BusError> {
        let what = "look for jobs that are no longer wanted";
        let ask = |delivery: &JobDelivery| {
            let mut ask = redis::cmd("ZSCORE");
            ask.arg(self.keys().gone(&delivery.queue.name())).arg(delivery.job.execution_id.to_string());
            ask
        };
        let replies = self.send(what, deliveries.iter().map(ask).collect()).await?;
        let gone = replies.iter().enumerate().filter(|(_, reply)| !reply::is_nil(reply)).map(|(at, _)| at);
        let gone: HashSet<usize> = gone.filter(|at| !deliveries[*at].job.outlives_run).collect();
        let (mut wanted, mut dropped) = (Vec::with_capacity(deliveries.len()), Vec::new());
        for (at, delivery) in deliveries.into_iter().enumerate() {
            if gone.contains(&at) {
                dropped.push((delivery.queue, delivery.entry));
            } else {
                wanted.push(delivery);
            }
        }
        self.ack_jobs(&dropped).await?;
        Ok(wanted)
    }
}
