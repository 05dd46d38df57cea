//! Upkeep of the record: partitions of `wf_events` made ahead and dropped, old runs, definitions, changes and blobs deleted, a
//! small step at a time. Replicas may do it at the same time; what fails waits for the next round. Nothing that has not ended is
//! touched, however old.

use std::convert::Infallible;
use std::time::Duration;

use chrono::{Days, NaiveDate};
use metrics::counter;
use millrace_contracts::UnixMillis;
use millrace_store::StoreError;

use crate::role::Shared;
use crate::{WriterError, blobs};

/// Pause after a round that failed.
const RETRY: Duration = Duration::from_secs(10);
/// Pause between steps of a deletion: the writer and the api come first.
const BREATH: Duration = Duration::from_millis(50);

/// A round now, and then one per interval, for ever.
pub(crate) async fn run(shared: Shared) -> Result<(), Infallible> {
    loop {
        let pause = match round(&shared, UnixMillis::now()).await {
            Ok(()) => shared.settings.upkeep_interval,
            Err(error) => {
                tracing::warn!(error = %error, "upkeep of the record failed; the next round follows");
                RETRY.min(shared.settings.upkeep_interval)
            }
        };
        tokio::time::sleep(pause).await;
    }
}

/// What is to be done as of `now`.
async fn round(shared: &Shared, now: UnixMillis) -> Result<(), WriterError> {
    partitions(shared, now).await?;
    records(shared, now).await?;
    changes(shared, now).await?;
    blobs::sweep(shared, now).await
}

/// Old records of every kind.
async fn records(shared: &Shared, now: UnixMillis) -> Result<(), StoreError> {
    let Some(before) = cutoff(now, shared.retention.executions) else { return Ok(()) };
    let step = shared.retention.step;
    let runs = in_steps(step, || async { shared.store.executions().expire(before, step).await }).await?;
    counter!("millrace_writer_expired_runs_total").increment(runs);
    let definitions = shared.store.expire_definitions(before, shared.retention.step).await?;
    let fleet = shared.store.workers().expire(before).await?;
    let letters = shared.store.dead_letters().expire(before).await?;
    if runs + definitions + fleet + letters > 0 {
        tracing::info!(
            runs,
            definitions,
            fleet,
            dead_letters = letters,
            "old runs, definitions, records of the fleet and dead letters are deleted"
        );
    }
    Ok(())
}

async fn partitions(shared: &Shared, now: UnixMillis) -> Result<(), StoreError> {
    let (first_made, days) = made_days(now, shared.settings.partitions_ahead_days);
    let made = shared.store.events().ensure_partitions(first_made, days).await?;
    let mut dropped = 0;
    if let Some(before) = cutoff(now, shared.retention.events) {
        let oldest = shared.store.executions().oldest_unfinished().await?;
        dropped = shared.store.events().drop_partitions_before(first_kept_day(before, oldest)).await?;
    }
    if made > 0 || dropped > 0 {
        tracing::info!(made, dropped, "event partitions are in order");
    }
    Ok(())
}

/// Who changed what, long ago.
async fn changes(shared: &Shared, now: UnixMillis) -> Result<(), StoreError> {
    let Some(before) = cutoff(now, shared.retention.audit) else { return Ok(()) };
    let step = shared.retention.step;
    let deleted = in_steps(step, || async { shared.store.audit().expire(before, step).await }).await?;
    if deleted > 0 {
        tracing::info!(changes = deleted, "old entries of the audit are deleted");
    }
    Ok(())
}

/// Calls `delete`, which deletes `step` at most, until nothing is left to delete; says how many it were.
async fn in_steps<F>(step: u32, delete: impl Fn() -> F) -> Result<u64, StoreError>
where
    F: Future<Output = Result<u64, StoreError>>,
{
    let mut deleted = 0;
    loop {
        let some = delete().await?;
        deleted += some;
        if some < u64::from(step) {
            return Ok(deleted);
        }
        tokio::time::sleep(BREATH).await;
    }
}

/// What is older than this goes; none when everything is kept.
fn cutoff(now: UnixMillis, retention: Duration) -> Option<UnixMillis> {
    let retention_ms = i64::try_from(retention.as_millis()).unwrap_or(i64::MAX);
    (!retention.is_zero()).then(|| UnixMillis(now.0.saturating_sub(retention_ms)))
}

/// Yesterday, for events that come late, today, and the days ahead.
fn made_days(now: UnixMillis, ahead: u32) -> (NaiveDate, u32) {
    (now.to_utc().date_naive() - Days::new(1), ahead + 2)
}

/// The day that still holds something younger than `before`, or something of a run that goes on.
fn first_kept_day(before: UnixMillis, oldest_unfinished: Option<UnixMillis>) -> NaiveDate {
    oldest_unfinished.map_or(before, |oldest| oldest.min(before)).to_utc().date_naive()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-03-10T12:00:00Z
    const NOW: UnixMillis = UnixMillis(1_773_144_000_000);

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn nothing_younger_than_the_retention_is_dropped() {
        assert_eq!(made_days(NOW, 3), (day("2026-03-09"), 5));
        let kept = |retention| first_kept_day(cutoff(NOW, retention).unwrap(), None);
        assert_eq!(kept(Duration::from_secs(86_400)), day("2026-03-09"));
        assert_eq!(kept(Duration::from_secs(3 * 86_400 - 1)), day("2026-03-07"));
        assert_eq!(kept(Duration::MAX), day("1970-01-01"));
        assert_eq!(cutoff(NOW, Duration::ZERO), None, "zero keeps everything");
    }

    #[test]
    fn what_goes_on_keeps_its_events() {
        let before = cutoff(NOW, Duration::from_secs(7 * 86_400)).unwrap();
        let long_ago = UnixMillis(NOW.0 - 20 * 86_400_000);
        assert_eq!(first_kept_day(before, Some(long_ago)), day("2026-02-18"));
        assert_eq!(first_kept_day(before, Some(NOW)), day("2026-03-03"));
    }
}
