//! Upkeep of the record: partitions of `wf_events` made ahead and dropped, old runs, definitions, changes and blobs deleted, a
//! small step at a time. Replicas may do it at the same time; what fails is tried again soon, and by itself. Nothing that has not
//! ended is touched, however old.

use std::convert::Infallible;
use std::time::Duration;

use chrono::{Days, NaiveDate};
use metrics::counter;
use millrace_contracts::UnixMillis;
use millrace_store::{Expired, StoreError};
use tokio::time::Instant;

use crate::role::Shared;
use crate::{WriterError, blobs};

/// Pause before a part that failed is done again.
const RETRY: Duration = Duration::from_secs(10);
/// Pause between steps of a deletion: the writer and the api come first.
const BREATH: Duration = Duration::from_millis(50);

/// What is to be done from time to time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Partitions,
    Runs,
    Definitions,
    Fleet,
    Schedules,
    Changes,
    Blobs,
}

const PARTS: [Part; 7] = [
    Part::Partitions,
    Part::Runs,
    Part::Definitions,
    Part::Fleet,
    Part::Schedules,
    Part::Changes,
    Part::Blobs,
];

/// All of it now, and then once per interval, for ever.
pub(crate) async fn run(shared: Shared) -> Result<(), Infallible> {
    let interval = shared.settings.upkeep_interval;
    let mut due = PARTS.map(|part| (part, Instant::now()));
    loop {
        round(&mut due, interval, |part| keep_up(&shared, part, UnixMillis::now())).await;
        let next = due.iter().map(|(_, at)| *at).min().expect("there are parts");
        tokio::time::sleep_until(next).await;
    }
}

/// Does what is due, and says when it is again. A part that fails keeps none of the others from being done, nor does it have them
/// done again: some are dear.
async fn round<F>(due: &mut [(Part, Instant)], interval: Duration, mut keep_up: impl FnMut(Part) -> F)
where
    F: Future<Output = Result<(), WriterError>>,
{
    for (part, at) in due {
        if *at > Instant::now() {
            continue;
        }
        let pause = match keep_up(*part).await {
            Ok(()) => interval,
            Err(error) => {
                tracing::warn!(upkeep.part = ?part, error = %error, "upkeep of the record failed; it is tried again");
                RETRY.min(interval)
            }
        };
        *at = Instant::now() + pause;
    }
}

/// Does one part, as of `now`.
async fn keep_up(shared: &Shared, part: Part, now: UnixMillis) -> Result<(), WriterError> {
    match part {
        Part::Partitions => partitions(shared, now).await?,
        Part::Runs => runs(shared, now).await?,
        Part::Definitions => definitions(shared, now).await?,
        Part::Fleet => fleet(shared, now).await?,
        Part::Schedules => schedules(shared, now).await?,
        Part::Changes => changes(shared, now).await?,
        Part::Blobs => blobs::sweep(shared, now).await?,
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

async fn runs(shared: &Shared, now: UnixMillis) -> Result<(), StoreError> {
    let Some(before) = cutoff(now, shared.retention.executions) else { return Ok(()) };
    let deleted = in_steps(shared.retention.step, |step| async move {
        let expired = shared.store.executions().expire(before, step).await?;
        counter!("millrace_writer_expired_runs_total").increment(expired.deleted);
        Ok(expired)
    });
    tell("runs", deleted.await?);
    Ok(())
}

async fn definitions(shared: &Shared, now: UnixMillis) -> Result<(), StoreError> {
    let Some(before) = cutoff(now, shared.retention.executions) else { return Ok(()) };
    let expire = |step| shared.store.expire_definitions(before, step);
    tell("definitions", in_steps(shared.retention.step, expire).await?);
    Ok(())
}

/// What is recorded of workers, and dead letters: few.
async fn fleet(shared: &Shared, now: UnixMillis) -> Result<(), StoreError> {
    let Some(before) = cutoff(now, shared.retention.executions) else { return Ok(()) };
    tell("records of the fleet", shared.store.workers().expire(before).await?);
    tell("dead letters", shared.store.dead_letters().expire(before).await?);
    Ok(())
}

/// Schedules that were deleted: their runs are gone as well by then.
async fn schedules(shared: &Shared, now: UnixMillis) -> Result<(), StoreError> {
    let Some(before) = cutoff(now, shared.retention.executions) else { return Ok(()) };
    let expire = |step| async move { shared.store.schedules().expire(before, step).await };
    tell("schedules", in_steps(shared.retention.step, expire).await?);
    Ok(())
}

/// Who changed what, long ago.
async fn changes(shared: &Shared, now: UnixMillis) -> Result<(), StoreError> {
    let Some(before) = cutoff(now, shared.retention.audit) else { return Ok(()) };
    let expire = |step| async move { shared.store.audit().expire(before, step).await };
    tell("entries of the audit", in_steps(shared.retention.step, expire).await?);
    Ok(())
}

fn tell(what: &str, deleted: u64) {
    if deleted > 0 {
        tracing::info!(deleted, "old {what} are deleted");
    }
}

/// Calls `delete` with how much it may delete, at first `most`, until nothing is left to delete; says how much it was. A step that
/// takes the database too long is tried again with half as much: it would never get done otherwise, and whatever is younger
/// would wait behind it for ever. After that steps grow back slowly, so that few are made in vain.
async fn in_steps<F>(most: u32, delete: impl Fn(u32) -> F) -> Result<u64, StoreError>
where
    F: Future<Output = Result<Expired, StoreError>>,
{
    let (mut step, mut deleted) = (most, 0);
    loop {
        match delete(step).await {
            Ok(expired) => {
                deleted += expired.deleted;
                if !expired.more {
                    return Ok(deleted);
                }
                step = step.saturating_add(step / 8 + 1).min(most);
            }
            Err(error) if error.took_too_long() && step > 1 => {
                tracing::info!(error = %error, upkeep.step = step, "a step took too long; the next are smaller");
                step /= 2;
            }
            Err(error) => return Err(error),
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
    use std::future;

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

    #[tokio::test(start_paused = true)]
    async fn what_fails_is_tried_again_by_itself() {
        let interval = Duration::from_secs(3600);
        let mut due = PARTS.map(|part| (part, Instant::now()));
        let mut done = Vec::new();
        let attempt = |done: &mut Vec<Part>, part| {
            done.push(part);
            let refused = WriterError::Store(StoreError::NotFound("table"));
            future::ready(if part == Part::Definitions { Err(refused) } else { Ok(()) })
        };
        round(&mut due, interval, |part| attempt(&mut done, part)).await;
        assert_eq!(done, PARTS);
        done.clear();
        tokio::time::advance(RETRY).await;
        round(&mut due, interval, |part| attempt(&mut done, part)).await;
        assert_eq!(done, [Part::Definitions]);
        done.clear();
        tokio::time::advance(interval - RETRY).await;
        round(&mut due, interval, |part| attempt(&mut done, part)).await;
        assert_eq!(done, PARTS);
    }
}
