//! Accepted means finished: runs that Postgres knows as unfinished and that have no live state are started again, and those
//! that stand still are woken. Always on and a few at a time; a run that two replicas start at once is begun once, since its
//! first commit compares.

mod watch;

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::time::{Duration, Instant};

use metrics::counter;
use millrace_bus::Standing;
use millrace_contracts::message::Accepted;
use millrace_contracts::{Partition, UnixMillis};
use millrace_store::Unfinished;
use tokio::sync::watch::Receiver;

use crate::OrchestratorError;
use crate::role::Shared;
pub(crate) use watch::Watch;

/// Most runs looked at in one sweep: a rebuild after the loss of Redis is a ramp, not a wall.
const SWEEP_LIMIT: u32 = 500;

/// Sweeps again and again.
pub(crate) async fn run(shared: Shared, owned: Receiver<BTreeSet<Partition>>) -> Result<(), Infallible> {
    let mut watch = Watch::new(shared.settings.stalled_after);
    loop {
        tokio::time::sleep(jittered(shared.settings.sweep_interval)).await;
        let partitions = owned.borrow().clone();
        if let Err(error) = sweep(&shared, &partitions, &mut watch).await {
            tracing::warn!(error = %error, "a sweep for lost runs failed; the next one follows");
        }
    }
}

/// Looks at the next page of unfinished runs.
async fn sweep(
    shared: &Shared,
    owned: &BTreeSet<Partition>,
    watch: &mut Watch,
) -> Result<(), OrchestratorError> {
    let before = UnixMillis(UnixMillis::now().0 - millis(shared.settings.stalled_after));
    let unfinished = shared.store.executions().unfinished(before, watch.after(), SWEEP_LIMIT).await?;
    let full = unfinished.len() == SWEEP_LIMIT as usize;
    let last = unfinished.last().map(|run| run.accepted.execution_id);
    let mine: Vec<Unfinished> = unfinished
        .into_iter()
        .filter(|run| owned.contains(&shared.bus.partition_of(run.accepted.execution_id)))
        .collect();
    let partitions: Vec<Partition> = owned.iter().copied().collect();
    let oldest = shared.bus.oldest_unread(&partitions).await?;
    let ids: Vec<_> = mine.iter().map(|run| run.accepted.execution_id).collect();
    // The line before the live states: a run that leaves the one for the other meanwhile is seen in one of them.
    let standings = shared.bus.standings(&ids).await?;
    let versions = shared.bus.versions(&ids).await?;
    // After the live states: an end that is recorded by now refuses the claim of its epoch.
    let unrecorded = shared.bus.oldest_unrecorded(&partitions).await?;
    let now = Instant::now();
    for ((run, version), standing) in mine.into_iter().zip(versions).zip(standings) {
        let id = run.accepted.execution_id;
        let partition = shared.bus.partition_of(id);
        let sent = oldest.get(&partition).copied();
        if version.is_none() {
            if !may_be_on_its_way(shared, standing, &run.accepted, sent)
                && !may_have_ended(shared, unrecorded.get(&partition).copied())
                && watch.is_due(id, None, now)
            {
                restart(shared, run).await?;
            }
        } else if sent.is_none_or(|sent| sent > before) && watch.is_due(id, version, now) {
            // (While messages wait for long to be read, what seems to stand still may only wait for them.)
            counter!("millrace_orchestrator_wakes_total").increment(1);
            shared.bus.wake(id).await?;
        }
    }
    watch.turn_page(last.filter(|_| full));
    Ok(())
}

/// Whether a run without live state is late, not lost: it waits in line, was admitted a moment ago, or its inbox, whose
/// oldest message is from `sent`, holds messages as old as its own would be.
fn may_be_on_its_way(
    shared: &Shared,
    standing: Standing,
    accepted: &Accepted,
    sent: Option<UnixMillis>,
) -> bool {
    let patience = shared.settings.stalled_after;
    let handed_over = match standing {
        Standing::InLine => return true,
        Standing::Admitted(at) if UnixMillis::now() < at.after(patience) => return true,
        Standing::Admitted(at) => at,
        Standing::Unknown => accepted.created_at,
    };
    sent.is_some_and(|sent| sent <= handed_over.after(patience))
}

/// Whether a run without live state may have ended, and its end wait to be recorded: an ended run's state is kept for a while, so
/// its end would stand behind the event from `told`, the oldest that is left, only if that is as old.
pub(crate) fn may_have_ended(shared: &Shared, told: Option<UnixMillis>) -> bool {
    let Shared { settings, .. } = shared;
    // Clocks may differ.
    told.is_some_and(|told| {
        UnixMillis::now().after(settings.stalled_after) > told.after(settings.keep_finished)
    })
}

/// Starts a lost run again. Its epoch is written down first, so that no other life of the run ever uses it, however soon this
/// one is lost again. What keeps just this run from it is told, and the sweep goes on.
async fn restart(shared: &Shared, run: Unfinished) -> Result<(), OrchestratorError> {
    let accepted = run.begun_again();
    match claim_and_execute(shared, &accepted).await {
        Err(error) if error.is_of_one() => {
            tracing::warn!(run.id = %accepted.execution_id, error = %error, "a lost run cannot be started again; it is tried later");
            Ok(())
        }
        other => other,
    }
}

async fn claim_and_execute(shared: &Shared, accepted: &Accepted) -> Result<(), OrchestratorError> {
    if !shared.store.executions().claim_epoch(accepted.execution_id, accepted.epoch).await? {
        return Ok(());
    }
    tracing::warn!(
        run.id = %accepted.execution_id,
        run.epoch = accepted.epoch,
        "an accepted run has no live state; starting it again from its record"
    );
    counter!("millrace_orchestrator_restarted_runs_total").increment(1);
    Ok(shared.bus.execute(accepted).await?)
}

/// Spreads the sweeps of several replicas: the pause is 75 to 125 % of `interval`.
pub(crate) fn jittered(interval: Duration) -> Duration {
    let noise = f64::from(uuid::Uuid::new_v4().as_bytes()[0]) / 255.0;
    interval.mul_f64(0.75 + noise / 2.0)
}

/// As a difference of times.
pub(crate) fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
