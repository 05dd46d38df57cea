//! Upkeep of `wf_events`: partitions made ahead, old ones dropped. Replicas may do it at the same time; failures wait for the
//! next round, since rows without a partition go to the default one.

use std::convert::Infallible;
use std::time::Duration;

use chrono::{Days, NaiveDate};
use millrace_contracts::UnixMillis;
use millrace_store::StoreError;

use crate::role::Shared;

/// Pause after a round that failed.
const RETRY: Duration = Duration::from_secs(10);

/// A round now, and then one per interval, for ever.
pub(crate) async fn run(shared: Shared) -> Result<(), Infallible> {
    loop {
        let pause = match upkeep(&shared, UnixMillis::now()).await {
            Ok(()) => shared.settings.upkeep_interval,
            Err(error) => {
                tracing::warn!(error = %error, "upkeep of the event partitions failed; the next round follows");
                RETRY.min(shared.settings.upkeep_interval)
            }
        };
        tokio::time::sleep(pause).await;
    }
}

async fn upkeep(shared: &Shared, now: UnixMillis) -> Result<(), StoreError> {
    let (first_made, days) = made_days(now, shared.settings.partitions_ahead_days);
    let made = shared.store.events().ensure_partitions(first_made, days).await?;
    let first_kept = first_kept_day(now, shared.settings.retention);
    let dropped = shared.store.events().drop_partitions_before(first_kept).await?;
    if made > 0 || dropped > 0 {
        tracing::info!(made, dropped, "event partitions are in order");
    }
    Ok(())
}

/// Yesterday, for events that come late, today, and the days ahead.
fn made_days(now: UnixMillis, ahead: u32) -> (NaiveDate, u32) {
    (now.to_utc().date_naive() - Days::new(1), ahead + 2)
}

/// The day that still holds something younger than `retention`.
fn first_kept_day(now: UnixMillis, retention: Duration) -> NaiveDate {
    let retention_ms = i64::try_from(retention.as_millis()).unwrap_or(i64::MAX);
    UnixMillis(now.0.saturating_sub(retention_ms)).to_utc().date_naive()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_younger_than_the_retention_is_dropped() {
        // 2026-03-10T12:00:00Z
        let now = UnixMillis(1_773_144_000_000);
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        assert_eq!(made_days(now, 3), (day("2026-03-09"), 5));
        assert_eq!(first_kept_day(now, Duration::from_secs(86_400)), day("2026-03-09"));
        assert_eq!(first_kept_day(now, Duration::from_secs(3 * 86_400 - 1)), day("2026-03-07"));
        assert_eq!(first_kept_day(now, Duration::MAX), day("1970-01-01"));
    }
}
