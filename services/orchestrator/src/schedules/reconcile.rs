//! The recovery path: timers that Redis lost, firings that nobody handled and waits that nobody ended are found by comparing with
//! Postgres. Slow and in small pages: what drives schedules are their timers. Pages hold only what is near, late or waiting.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::time::Duration;

use metrics::counter;
use millrace_contracts::schedule::{Cue, CueReason};
use millrace_contracts::{Partition, UnixMillis};
use millrace_schedule::jittered;
use millrace_store::NearFiring;
use tokio::sync::watch;

use super::fire;
use crate::OrchestratorError;
use crate::role::Shared;
use crate::sweeper::jittered as spread;

/// Schedules looked at together.
const PAGE: u32 = 200;
/// Between two pages: thousands of lost timers are set again in seconds, not at once.
const PAUSE: Duration = Duration::from_millis(100);
/// A firing is late, and not just on its way through an inbox, after this.
const LATE_AFTER: Duration = Duration::from_secs(5);

/// Compares again and again; the first time at once, since everything may have been restarted.
pub(crate) async fn run(
    shared: Shared,
    owned: watch::Receiver<BTreeSet<Partition>>,
) -> Result<(), Infallible> {
    loop {
        let partitions = owned.borrow().clone();
        if let Err(error) = compare(&shared, &partitions).await {
            tracing::warn!(error = %error, "schedules could not be compared with their timers; trying again");
        }
        tokio::time::sleep(spread(shared.settings.schedule_sweep)).await;
    }
}

async fn compare(shared: &Shared, owned: &BTreeSet<Partition>) -> Result<(), OrchestratorError> {
    if owned.is_empty() {
        return Ok(());
    }
    let mut after = None;
    loop {
        let horizon = UnixMillis::now().after(shared.settings.schedule_sweep * 2);
        let page = shared.store.schedules().near(horizon, after, PAGE).await?;
        let last = page.last().map(|near| near.id).filter(|_| page.len() == PAGE as usize);
        let is_mine = |near: &&NearFiring| owned.contains(&near.id.partition(shared.bus.partitions()));
        let mine: Vec<&NearFiring> = page.iter().filter(is_mine).collect();
        restore(shared, &mine).await?;
        for near in mine.iter().filter(|near| near.waits) {
            match fire::release(shared, near.id, None).await {
                Err(error) if error.is_of_one() => {
                    tracing::warn!(schedule.id = %near.id, error = %error, "a firing that waits cannot be looked at; it is tried again");
                }
                other => drop(other?),
            }
        }
        let Some(last) = last else { return Ok(()) };
        after = Some(last);
        tokio::time::sleep(PAUSE).await;
    }
}

/// Sets the timers that should be there; one that is there already stays as it is.
async fn restore(shared: &Shared, near: &[&NearFiring]) -> Result<(), OrchestratorError> {
    let now = UnixMillis::now();
    let late_after = LATE_AFTER.min(shared.settings.stalled_after);
    let mut cues = Vec::new();
    for near in near {
        let Some(due) = near.next_at else { continue };
        let at = jittered(near.id, due, Duration::from_millis(near.jitter_ms));
        // In between it is on its way through an inbox.
        if at > now || at.after(late_after) < now {
            cues.push((at, Cue { schedule_id: near.id, reason: CueReason::Due(due) }));
        }
    }
    let late = cues.iter().filter(|(at, _)| *at < now).count();
    counter!("millrace_orchestrator_schedule_firings_late_total").increment(late as u64);
    shared.bus.set_cues(&cues).await?;
    Ok(())
}
