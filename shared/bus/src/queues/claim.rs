//! Taking over jobs whose worker has been silent.

use std::time::Duration;

use millrace_contracts::Pool;
use millrace_contracts::job::Priority;

use super::key::QueueName;
use super::reader::{JobDelivery, JobQueues, add_job};
use crate::batch::Batch;
use crate::claim::Claim;
use crate::{BusError, keys};

impl JobQueues {
    /// Takes over jobs of `pools` that no worker has kept for at least `min_idle`, at most `max`, urgent ones of a
    /// queue first. `deliveries` tells how often each has been handed out by now: what to do about one that takes its
    /// workers down is the caller's policy ([`crate::Bus::bury_job`]).
    ///
    /// # Errors
    /// Redis could not be reached; what had been taken over comes again after `min_idle`.
    pub async fn claim_stale(
        &mut self,
        pools: &[Pool],
        min_idle: Duration,
        max: usize,
    ) -> Result<Vec<JobDelivery>, BusError> {
        self.refresh_if_due().await?;
        let queues: Vec<&QueueName> = self.known.keys().filter(|name| pools.contains(&name.pool)).collect();
        let mut batch = Batch::new(keys::WORKERS);
        for name in queues {
            let room = max.saturating_sub(batch.readable.len());
            if room == 0 {
                break;
            }
            let queue_keys = Priority::ALL.map(|priority| name.at(priority));
            let streams = queue_keys.each_ref().map(|key| self.bus.keys().queue(key));
            let streams = streams.each_ref().map(String::as_str);
            let claim =
                Claim { group: self.reader.group(), consumer: self.reader.consumer(), min_idle, max: room };
            for claimed in self.bus.claim(&streams, &claim).await? {
                let at = claimed.stream.min(streams.len() - 1);
                add_job(&mut batch, streams[at], &queue_keys[at], claimed.raw, claimed.deliveries);
            }
        }
        let mut stale = Vec::new();
        batch.finish(&self.bus, &mut stale).await;
        let stale = self.bus.still_wanted(stale).await?;
        self.note_served(&stale);
        Ok(stale)
    }
}
