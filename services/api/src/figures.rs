//! The figures behind `GET /stats`. Counting reads every run and job of the window: it is done once for all who ask at the same
//! time, one window after the other, and kept for a thousandth of the window.

use std::sync::Arc;
use std::time::{Duration, Instant};

use millrace_contracts::UnixMillis;
use millrace_store::{Stats, StatsWindow, Store};
use moka::Expiry;
use moka::future::Cache;
use tokio::sync::Semaphore;

use crate::problem::Problem;

/// Windows that are kept; few are asked for.
const KEPT_WINDOWS: u64 = 64;
/// Points that a series has at most: what a chart can show.
const MOST_POINTS: u64 = 100;
/// How wide the points may be, seconds: all fit into an hour or a day.
const BUCKETS_S: [u64; 14] = [5, 10, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200];
/// An answer is as good as new for this long, and none is kept for longer than that.
const FRESH: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(300));

/// The figures of the windows that were asked for lately.
#[derive(Debug, Clone)]
pub(crate) struct Figures {
    kept: Cache<Duration, Counted>,
    /// One count at a time: the database has other work.
    turn: Arc<Semaphore>,
}

/// A window's figures, and which time they are of.
pub(crate) type Counted = Arc<(StatsWindow, Stats)>;

impl Figures {
    /// None yet.
    pub(crate) fn new() -> Self {
        let kept = Cache::builder().max_capacity(KEPT_WINDOWS).expire_after(ByWindow).build();
        Self { kept, turn: Arc::new(Semaphore::new(1)) }
    }

    /// The figures of the last `window`, counted now or a moment ago.
    pub(crate) async fn of(&self, store: &Store, window: Duration) -> Result<Counted, Problem> {
        let count = async {
            let _turn = self.turn.acquire().await.expect("nobody closes the turn");
            let until = UnixMillis::now();
            let since = UnixMillis(until.0 - i64::try_from(window.as_millis()).unwrap_or(i64::MAX));
            let window = StatsWindow { since, until, bucket: bucket(window) };
            Ok::<_, Problem>(Arc::new((window, store.stats(window).await?)))
        };
        self.kept.try_get_with(window, count).await.map_err(|problem| (*problem).clone())
    }
}

/// The narrowest points that do not become too many.
fn bucket(window: Duration) -> Duration {
    let fits = |seconds: &u64| window.as_secs() <= seconds * MOST_POINTS;
    let widest = BUCKETS_S[BUCKETS_S.len() - 1];
    Duration::from_secs(BUCKETS_S.into_iter().find(fits).unwrap_or(widest))
}

/// How long figures are kept: what is new changes a long window little.
struct ByWindow;

impl Expiry<Duration, Counted> for ByWindow {
    fn expire_after_create(&self, window: &Duration, _: &Counted, _: Instant) -> Option<Duration> {
        Some((*window / 1000).clamp(FRESH.0, FRESH.1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_series_has_a_bounded_number_of_points() {
        let minutes = |count: u64| Duration::from_secs(count * 60);
        assert_eq!(bucket(minutes(5)), Duration::from_secs(5));
        assert_eq!(bucket(minutes(60)), Duration::from_secs(60));
        assert_eq!(bucket(minutes(24 * 60)), Duration::from_secs(900));
        assert_eq!(bucket(minutes(31 * 24 * 60)), Duration::from_secs(43_200));
    }
}
