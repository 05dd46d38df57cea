//! Jobs on their last chance. A worker that goes away takes all that it has in hand with it, and nobody knows which of them it
//! was. So each may come back in company until it has one hand-out left (`worker.max_deliveries`); that one it has alone: this
//! worker takes nothing else, waits until nothing is in hand, and only then takes the job over. What is not begun is not counted: the
//! others of the set stay where they are until their turn, here or at another worker. Rule: a job that is set aside was the
//! only one in its worker's hands when that went away last, so that the innocent end well, whoever they were in hand with.
//!
//! The price: a worker that gives a last chance does nothing else until it is through. That comes after two deaths, as a rule;
//! jobs of a worker that died once are taken over together and at once.

use std::time::Duration;

use millrace_bus::{BusError, Chance, JobQueues};
use millrace_tasks::CancellationToken;
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::mpsc::Sender;

use super::{IntakeSettings, LOOKS_PER_LEASE, hand_over};
use crate::job::Taken;
use crate::role::Shared;

/// A lane that gives last chances.
pub(super) struct LastChances<'a> {
    pub(super) shared: &'a Shared,
    pub(super) queues: &'a mut JobQueues,
    pub(super) settings: &'a IntakeSettings,
    pub(super) jobs: &'a Sender<Taken>,
    pub(super) stop: &'a CancellationToken,
}

impl LastChances<'_> {
    /// Gives jobs of the lane their last chance, one after the other, as many as there are `permits`; how many there were.
    pub(super) async fn give(mut self, permits: Vec<OwnedSemaphorePermit>) -> Result<usize, BusError> {
        let (shared, stop) = (self.shared, self.stop);
        let Some(_alone) = stop.run_until_cancelled(shared.solitude.alone()).await else { return Ok(0) };
        let mut given = 0;
        let ended = self.give_each(permits, &mut given).await;
        if given > 0 {
            // The last of them is alone as well, whatever went wrong beside it.
            stop.run_until_cancelled(shared.held.until_empty()).await;
        }
        ended.map(|()| given)
    }

    /// The same once nobody else takes any; counts in `given`.
    async fn give_each(
        &mut self,
        permits: Vec<OwnedSemaphorePermit>,
        given: &mut usize,
    ) -> Result<(), BusError> {
        let stop = self.stop;
        for permit in permits {
            let Some(waited) = stop.run_until_cancelled(self.wait()).await else { break };
            if !waited? {
                break;
            }
            // Not given up when the worker stops: what is taken over has been counted, and has to be in hand.
            let only = Chance::Only(self.shared.max_deliveries);
            let (lease, pools) = (self.settings.lease, &self.settings.pools);
            let found = self.queues.take_over(pools, (lease, 1), only).await?;
            let Some(delivery) = found.jobs.first() else { break };
            let job = &delivery.job;
            tracing::info!(job.id = %job.id, job.task = job.task, deliveries = delivery.deliveries, "a job has its last chance, alone");
            metrics::counter!("millrace_worker_last_chances_total").increment(1);
            hand_over(self.shared, found.jobs, vec![permit], self.jobs).await;
            *given += 1;
        }
        Ok(())
    }

    /// Waits until nothing is in hand; false when no job is left to wait for.
    async fn wait(&mut self) -> Result<bool, BusError> {
        let look_every: Duration = self.settings.lease / LOOKS_PER_LEASE;
        while tokio::time::timeout(look_every, self.shared.held.until_empty()).await.is_err() {
            // Another worker may have been free sooner.
            let but = Chance::But(self.shared.max_deliveries);
            let look = (self.settings.lease, 0);
            if !self.queues.take_over(&self.settings.pools, look, but).await?.left {
                return Ok(false);
            }
        }
        Ok(true)
    }
}
