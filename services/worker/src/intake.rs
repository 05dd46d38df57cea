//! Taking jobs, never more than there are permits for, and driving those in hand. Reading and driving are two tasks, so
//! that a read that blocks holds up no job. What dead workers left is taken over together; a job on its last chance is in hand
//! alone (`last_chance.rs`).

mod last_chance;
mod limits;

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::stream::FuturesUnordered;
use futures::{FutureExt, StreamExt};
use millrace_bus::{BusError, Chance, JobDelivery, JobQueues, Takeover};
use millrace_contracts::{ModelId, Pool};
use millrace_tasks::{CancellationToken, backoff, within};
use tokio::sync::mpsc::{Receiver, Sender};
use tokio::sync::{OwnedSemaphorePermit, RwLockReadGuard};

use self::last_chance::LastChances;
use crate::hands::{Free, Hands};
use crate::job::{self, Taken};
use crate::role::Shared;
use crate::router::Router;

/// Looks for stale claims per lease: a job of a dead worker is taken over within a lease and a quarter.
const LOOKS_PER_LEASE: u32 = 4;
/// Putting back what nobody has in hand takes no longer at the end; should Redis be away, it is taken over once its claims are
/// stale.
const PUT_BACK: Duration = Duration::from_secs(2);
const SHORTEST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// How jobs are taken.
#[derive(Debug, Clone)]
pub(crate) struct IntakeSettings {
    pub(crate) pools: Vec<Pool>,
    pub(crate) concurrency: usize,
    /// Hands beside those, for flows that have no job in hand.
    pub(crate) spare: usize,
    pub(crate) block: Duration,
    pub(crate) lease: Duration,
}

/// Takes the jobs of a lane until `stop`. What it was given last and nobody has in hand is put back then.
pub(crate) async fn take(
    shared: Arc<Shared>,
    (mut queues, router): (JobQueues, Router),
    settings: IntakeSettings,
    jobs: Sender<Taken>,
    stop: CancellationToken,
) -> Result<(), BusError> {
    let ended = take_until(&shared, (&mut queues, router), &settings, jobs, &stop).await;
    match within(PUT_BACK, queues.put_back()).await {
        Ok(0) => {}
        Ok(jobs) => tracing::info!(jobs, "jobs that were under way to this worker were put back"),
        Err(error) => {
            tracing::warn!(error, "jobs under way to this worker are taken over once their claims are stale");
        }
    }
    ended
}

async fn take_until(
    shared: &Shared,
    (queues, mut router): (&mut JobQueues, Router),
    settings: &IntakeSettings,
    jobs: Sender<Taken>,
    stop: &CancellationToken,
) -> Result<(), BusError> {
    let (hands, callers) = (Hands::new(settings), queues.callers());
    let mut pauses = backoff(SHORTEST_PAUSE, LONGEST_PAUSE);
    let mut look_again = Instant::now();
    loop {
        let free = hands.free(&callers, || shared.held.flows());
        let Some(Free { permits, spare }) = stop.run_until_cancelled(free).await else { return Ok(()) };
        let leave = leave(shared, queues);
        let Some(company) = stop.run_until_cancelled(leave).await else { return Ok(()) };
        let stale = !spare && look_again <= Instant::now();
        let looking = Looking { most: permits.len(), spare, stale };
        let found = look((shared, settings), queues, &mut router, looking, stop).await;
        let Some(found) = found else { return Ok(()) };
        let taken = match found {
            Ok(Takeover { jobs: found, left }) if found.is_empty() && !left.is_empty() => {
                drop(company);
                let queues = &mut *queues;
                let chances = LastChances { shared, queues, settings, jobs: &jobs, stop };
                chances.give(&left, permits).await.map(|given| given > 0)
            }
            Ok(found) => {
                let taken_over = found.jobs.iter().any(|delivery| delivery.deliveries > 1);
                let found = limits::keep(shared, &router, found.jobs).await;
                hand_over(shared, found, permits, &jobs).await;
                drop(company);
                Ok(taken_over)
            }
            Err(error) => {
                drop(company);
                Err(error)
            }
        };
        match taken {
            Ok(taken_over) => {
                if stale && !taken_over {
                    look_again = Instant::now() + settings.lease / LOOKS_PER_LEASE;
                }
                pauses = backoff(SHORTEST_PAUSE, LONGEST_PAUSE);
            }
            Err(error) if error.is_retryable() => {
                let pause = pauses.next().unwrap_or(LONGEST_PAUSE);
                tracing::warn!(%error, pause_ms = pause.as_millis(), "no jobs can be taken at the moment");
                if stop.run_until_cancelled(tokio::time::sleep(pause)).await.is_none() {
                    return Ok(());
                }
            }
            Err(error) => return Err(error),
        }
    }
}

/// Leave to take jobs. Nothing that earlier reads brought is kept while it is waited for: that may take minutes, and what is in
/// nobody's hand would be taken over meanwhile, and handed out here afterwards.
async fn leave<'a>(shared: &'a Shared, queues: &mut JobQueues) -> RwLockReadGuard<'a, ()> {
    if let Some(leave) = shared.solitude.company_at_once() {
        return leave;
    }
    match queues.put_back().await {
        Ok(0) => {}
        Ok(jobs) => {
            tracing::debug!(jobs, "jobs were put back for others, because one is to be alone in hand here")
        }
        Err(error) => {
            tracing::warn!(%error, "jobs could not be put back; other workers take them over once their claims are stale");
        }
    }
    shared.solitude.company().await
}

/// How to look for jobs.
struct Looking {
    most: usize,
    /// Whether only newcomers are looked for.
    spare: bool,
    /// Whether to look for what dead workers left first.
    stale: bool,
}

/// Jobs to take in hand; none once the worker is to stop. Waits for them, as long as the settings say.
async fn look(
    (shared, settings): (&Shared, &IntakeSettings),
    queues: &mut JobQueues,
    router: &mut Router,
    looking: Looking,
    stop: &CancellationToken,
) -> Option<Result<Takeover, BusError>> {
    if looking.stale && !stop.is_cancelled() {
        let found = look_for_stale((shared, settings), queues, looking.most);
        // What is taken over is counted, and has to be in hand: a stop gives the look a moment to end.
        let over = async {
            stop.cancelled().await;
            tokio::time::sleep(PUT_BACK).await;
        };
        let found = tokio::select! {
            found = found => found,
            () = over => return None,
        };
        if !found.as_ref().is_ok_and(|found| found.left.is_empty() && found.jobs.is_empty()) {
            return Some(found);
        }
    }
    // Dropping this loses nothing: what it was given is put back.
    stop.run_until_cancelled(look_for_more((shared, settings), queues, router, looking)).await
}

/// What dead workers left.
async fn look_for_stale(
    (shared, settings): (&Shared, &IntakeSettings),
    queues: &mut JobQueues,
    most: usize,
) -> Result<Takeover, BusError> {
    // What is taken over may fill every hand, for long.
    queues.put_back().await?;
    let but = Chance::But(shared.max_deliveries);
    queues.take_over(&settings.pools, (settings.lease, most), but, &shared.held.claims()).await
}

/// What waits.
async fn look_for_more(
    (shared, settings): (&Shared, &IntakeSettings),
    queues: &mut JobQueues,
    router: &mut Router,
    Looking { most, spare, .. }: Looking,
) -> Result<Takeover, BusError> {
    let found = |jobs| Takeover { jobs, ..Takeover::default() };
    if spare {
        let wanted = |pool: &Pool, model: Option<&ModelId>| router.wanted(pool, model, settings.spare);
        return queues.read_newcomers(&wanted, &shared.held.flows(), most).await.map(found);
    }
    let again = router.decide(&shared.bus, queues).await?;
    let room = router.bell();
    // Silenced before it is asked what is wanted, so that one that rings afterwards is heard.
    room.notified().now_or_never();
    let wanted = |pool: &Pool, model: Option<&ModelId>| router.wanted(pool, model, 0);
    tokio::select! {
        biased;
        jobs = queues.read_wanted(&wanted, most, settings.block.min(again)) => jobs.map(found),
        () = room.notified() => Ok(Takeover::default()),
        () = shared.solitude.asked() => Ok(Takeover::default()),
    }
}

async fn hand_over(
    shared: &Shared,
    deliveries: Vec<JobDelivery>,
    permits: Vec<OwnedSemaphorePermit>,
    jobs: &Sender<Taken>,
) {
    for (delivery, permit) in deliveries.into_iter().zip(permits) {
        let holding = shared.held.take(&delivery);
        if jobs.send(Taken { delivery, holding, permit }).await.is_err() {
            // The driver is gone, and the process with it in a moment; the job stays claimable.
            return;
        }
    }
}

/// Drives the jobs in hand until the intake has ended and all are done, or the grace period that begins with `stop` is over, or
/// the device is lost: what is in hand then is handed back. At its end, or when it is dropped, `done` is told.
pub(crate) async fn drive(
    shared: Arc<Shared>,
    mut jobs: Receiver<Taken>,
    (stop, grace): (CancellationToken, Duration),
    done: CancellationToken,
) -> Result<(), std::convert::Infallible> {
    let _done = done.drop_guard();
    let mut running = FuturesUnordered::new();
    let mut open = true;
    let over = async {
        stop.cancelled().await;
        tokio::time::sleep(grace).await;
    };
    tokio::pin!(over);
    // Ends when there is nothing more to come and nothing in hand; the grace period is a bound, not a wait.
    while open || !running.is_empty() {
        tokio::select! {
            () = &mut over => {
                hand_back(&shared).await;
                break;
            }
            // What is in hand has nothing to run on, and nothing is added to it any more.
            () = shared.device_loss.noted(), if !open => {
                hand_back(&shared).await;
                break;
            }
            taken = jobs.recv(), if open => match taken {
                Some(taken) => running.push(job::run(Arc::clone(&shared), taken)),
                None => open = false,
            },
            Some(()) = running.next() => {}
        }
    }
    Ok(())
}

/// Ends the jobs in hand without a word, and opens them to the other workers.
async fn hand_back(shared: &Shared) {
    let claims = shared.held.claims();
    shared.held.lose(&claims);
    match shared.bus.hand_back(&shared.worker, &claims).await {
        Ok(jobs) => tracing::info!(jobs, "jobs in hand were handed back"),
        Err(error) => {
            tracing::warn!(%error, jobs = claims.len(), "jobs in hand could not be handed back; other workers will take them over")
        }
    }
}
