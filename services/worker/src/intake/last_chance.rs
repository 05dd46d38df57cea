//! Jobs on their last chance. A worker that goes away takes all that it has in hand with it, and nobody knows which of them it
//! was. So each may come back in company until it has one hand-out left (`worker.max_deliveries`); that one it has alone: this
//! worker takes nothing else, waits until nothing is in hand, and only then takes the job over. What is not begun is not counted: the
//! others of the set stay where they are until their turn, here or at another worker. Rule: a job that is set aside was the
//! only one in its worker's hands when that went away last, so that the innocent end well, whoever they were in hand with.
//!
//! The price: a worker that gives a last chance does nothing else until it is through. That comes after two deaths, as a rule;
//! jobs of a worker that died once are taken over together and at once. Of the workers of a pool that have something in hand, one
//! at a time pays it: who has the claim in Redis. The others go on taking jobs; one that becomes empty by itself needs no claim.

use std::time::Duration;

use millrace_bus::{BusError, Chance, JobQueues};
use millrace_contracts::Pool;
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
    /// Gives jobs of one of `pools` their last chance, one after the other, as many as there are `permits`; how many there were.
    pub(super) async fn give(
        mut self,
        pools: &[Pool],
        permits: Vec<OwnedSemaphorePermit>,
    ) -> Result<usize, BusError> {
        let (shared, stop) = (self.shared, self.stop);
        let Some(pool) = stop.run_until_cancelled(self.choose(pools)).await else { return Ok(0) };
        let Some(pool) = pool? else { return Ok(0) };
        let Some(_alone) = stop.run_until_cancelled(shared.solitude.alone()).await else { return Ok(0) };
        let mut given = 0;
        let ended = self.give_each(pool, permits, &mut given).await;
        // What is left of the pool is for others to wait for, if any.
        let release = shared.bus.release_last_chance(pool, &shared.worker);
        if let Some(Err(error)) = stop.run_until_cancelled(release).await {
            tracing::debug!(%error, "the claim of a last chance could not be given back; it ends by itself");
        }
        if given > 0 {
            // The last of them is alone as well, whatever went wrong beside it.
            stop.run_until_cancelled(shared.held.until_empty()).await;
        }
        ended.map(|()| given)
    }

    /// The first pool that this worker may be alone for.
    async fn choose<'p>(&self, pools: &'p [Pool]) -> Result<Option<&'p Pool>, BusError> {
        for pool in pools {
            if self.shared.held.count() == 0 || self.claim(pool).await? {
                return Ok(Some(pool));
            }
        }
        Ok(None)
    }

    /// Takes or renews the right to wait until nothing is in hand; false when another worker has it.
    async fn claim(&self, pool: &Pool) -> Result<bool, BusError> {
        self.shared.bus.claim_last_chance(pool, &self.shared.worker, self.settings.lease).await
    }

    /// Gives them once nobody else here takes any; counts in `given`.
    async fn give_each(
        &mut self,
        pool: &Pool,
        permits: Vec<OwnedSemaphorePermit>,
        given: &mut usize,
    ) -> Result<(), BusError> {
        let stop = self.stop;
        for permit in permits {
            let Some(waited) = stop.run_until_cancelled(self.wait(pool)).await else { break };
            if !waited? {
                break;
            }
            // Not given up when the worker stops: what is taken over has been counted, and has to be in hand.
            let only = Chance::Only(self.shared.max_deliveries);
            let pool = std::slice::from_ref(pool);
            let found = self
                .queues
                .take_over(pool, (self.settings.lease, 1), only, &self.shared.held.claims())
                .await?;
            let Some(delivery) = found.jobs.first() else { break };
            let job = &delivery.job;
            tracing::info!(job.id = %job.id, job.task = job.task, deliveries = delivery.deliveries, "a job has its last chance, alone");
            metrics::counter!("millrace_worker_last_chances_total").increment(1);
            hand_over(self.shared, found.jobs, vec![permit], self.jobs).await;
            *given += 1;
        }
        Ok(())
    }

    /// Waits until nothing is in hand; false when no job is left to wait for, or another worker waits.
    async fn wait(&mut self, pool: &Pool) -> Result<bool, BusError> {
        let look_every: Duration = self.settings.lease / LOOKS_PER_LEASE;
        while self.shared.held.count() > 0 {
            if !self.claim(pool).await? {
                return Ok(false);
            }
            if tokio::time::timeout(look_every, self.shared.held.until_empty()).await.is_ok() {
                break;
            }
            // Another worker may have been free sooner.
            let (pool, look) = (std::slice::from_ref(pool), (self.settings.lease, 0));
            let but = Chance::But(self.shared.max_deliveries);
            if self.queues.take_over(pool, look, but, &self.shared.held.claims()).await?.left.is_empty() {
                return Ok(false);
            }
        }
        Ok(true)
    }
}
