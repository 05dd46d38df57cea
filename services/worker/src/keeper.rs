//! Keeps the claims on jobs in hand fresh, from a thread with its own runtime and its own connection: whatever the rest of
//! the process is busy with, claims do not go stale while it lives.

use std::thread::JoinHandle;
use std::time::Duration;

use millrace_bus::{Bus, BusError, EntryId, QueueKey};
use millrace_contracts::WorkerId;
use millrace_tasks::{CancellationToken, within};

use crate::WorkerError;
use crate::held::Held;

/// Refreshes per lease.
const PER_LEASE: u32 = 3;

/// Starts the keeper; it ends when `done` is cancelled.
pub(crate) fn start(
    bus: Bus,
    worker: WorkerId,
    held: Held,
    lease: Duration,
    done: CancellationToken,
) -> Result<JoinHandle<()>, WorkerError> {
    let failed = |source| WorkerError::Thread { name: "claims", source };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
    let body = move || runtime.block_on(keep(&bus, &worker, &held, lease / PER_LEASE, &done));
    std::thread::Builder::new().name("claims".to_owned()).spawn(body).map_err(failed)
}

async fn keep(bus: &Bus, worker: &WorkerId, held: &Held, every: Duration, done: &CancellationToken) {
    let mut own: Option<Bus> = None;
    let mut ticks = tokio::time::interval(every);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = done.cancelled() => return,
        }
        let claims = held.claims();
        if claims.is_empty() && own.is_some() {
            continue;
        }
        let refreshed = async {
            let bus = match own.take() {
                Some(bus) => bus,
                None => bus.own_connection().await?,
            };
            let lost = bus.keep(worker, &claims).await?;
            Ok::<_, BusError>((bus, lost))
        };
        // A connection that hangs is given up with the refresh; the next one opens another.
        match within(every, refreshed).await {
            Ok((bus, lost)) => {
                own = Some(bus);
                lose(held, &lost);
            }
            Err(error) => tracing::warn!(error, jobs = claims.len(), "claims could not be refreshed"),
        }
    }
}

/// Gives up what other workers have taken over.
fn lose(held: &Held, lost: &[(QueueKey, EntryId)]) {
    if lost.is_empty() {
        return;
    }
    metrics::counter!("millrace_worker_claims_lost_total").increment(lost.len() as u64);
    tracing::warn!(jobs = lost.len(), "claims were lost: other workers have taken the jobs over");
    held.lose(lost);
}
