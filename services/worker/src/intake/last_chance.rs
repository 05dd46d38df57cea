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

/// Gives jobs of the lane their last chance, one after the other, as many as there are `permits`; how many there were.
pub(super) async fn give(
    (shared, queues): (&Shared, &mut JobQueues),
    settings: &IntakeSettings,
    permits: Vec<OwnedSemaphorePermit>,
    jobs: &Sender<Taken>,
    stop: &CancellationToken,
) -> Result<usize, BusError> {
    let Some(_alone) = stop.run_until_cancelled(shared.solitude.alone()).await else { return Ok(0) };
    let mut given = 0;
    for permit in permits {
        let waiting = wait(shared, queues, settings);
        let Some(waited) = stop.run_until_cancelled(waiting).await else { break };
        if !waited? {
            break;
        }
        // Not given up when the worker stops: what is taken over has been counted, and has to be in hand.
        let only = Chance::Only(shared.max_deliveries);
        let found = queues.take_over(&settings.pools, (settings.lease, 1), only).await?;
        let Some(delivery) = found.jobs.first() else { break };
        let job = &delivery.job;
        tracing::info!(job.id = %job.id, job.task = job.task, deliveries = delivery.deliveries, "a job has its last chance, alone");
        metrics::counter!("millrace_worker_last_chances_total").increment(1);
        hand_over(shared, found.jobs, vec![permit], jobs).await;
        given += 1;
    }
    if given > 0 {
        // The last of them is alone as well.
        stop.run_until_cancelled(shared.held.until_empty()).await;
    }
    Ok(given)
}

/// Waits until nothing is in hand; false when no job is left to wait for.
async fn wait(shared: &Shared, queues: &mut JobQueues, settings: &IntakeSettings) -> Result<bool, BusError> {
    let look_every: Duration = settings.lease / LOOKS_PER_LEASE;
    while tokio::time::timeout(look_every, shared.held.until_empty()).await.is_err() {
        // Another worker may have been free sooner.
        let but = Chance::But(shared.max_deliveries);
        if !queues.take_over(&settings.pools, (settings.lease, 0), but).await?.left {
            return Ok(false);
        }
    }
    Ok(true)
}
