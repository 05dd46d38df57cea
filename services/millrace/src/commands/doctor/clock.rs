//! This machine's clock against those of the servers it works with: leases and deadlines are written by one and read by another.

use std::time::Duration;

use futures::TryFutureExt;
use millrace_bus::{Bus, BusError};
use millrace_config::Loaded;
use millrace_contracts::UnixMillis;
use millrace_store::Store;
use millrace_tasks::within;

use super::checks::TIMEOUT;
use crate::roles;

/// Clocks that differ by more than this disturb leases and deadlines.
const TOLERANCE: Duration = Duration::from_secs(2);

/// The clock against those of the servers, where they are not started here; and against the time this program was built: a clock
/// before that is wrong for certain. A server that does not answer has a fault of its own.
pub(super) async fn clock(loaded: &Loaded, store: Option<&Store>) -> Result<String, String> {
    let now = UnixMillis::now();
    let mut faults: Vec<String> = older_than_program(now).into_iter().collect();
    let mut agreed = Vec::new();
    for (server, ahead) in [("redis", of_redis(loaded).await), ("postgres", of_postgres(store).await)] {
        match ahead {
            Some(ahead) if ahead.is_tolerable() => agreed.push(server),
            Some(ahead) => faults.push(format!("the clock of {server} is {}", ahead.in_words())),
            None => {}
        }
    }
    match (faults.is_empty(), agreed.is_empty()) {
        (false, _) => Err(format!("it is {}: {}", now.to_rfc3339(), faults.join("; "))),
        (true, true) => Ok(now.to_rfc3339()),
        (true, false) => Ok(format!("{}, as at {}", now.to_rfc3339(), agreed.join(" and "))),
    }
}

fn older_than_program(now: UnixMillis) -> Option<String> {
    let program = std::env::current_exe().and_then(std::fs::metadata).and_then(|meta| meta.modified());
    let built = program.ok().and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
    let ahead = built.unwrap_or_default().saturating_sub(Duration::from_millis(now.0.unsigned_abs()));
    (ahead > TOLERANCE).then(|| "that is before this program was made".to_owned())
}

async fn of_redis(loaded: &Loaded) -> Option<Ahead> {
    if !loaded.is_set("redis.url") {
        return None;
    }
    let asked = async {
        let bus = Bus::connect(roles::bus_settings(&loaded.settings)).await?;
        let sent = UnixMillis::now();
        let theirs = bus.time().await?;
        Ok::<_, BusError>(Ahead::of(theirs, (sent, UnixMillis::now())))
    };
    within(TIMEOUT, asked).await.ok()
}

async fn of_postgres(store: Option<&Store>) -> Option<Ahead> {
    let store = store?;
    let asked = async {
        // A connection takes several round trips to make, and would count as part of one.
        store.ping().await?;
        let sent = UnixMillis::now();
        store.time().map_ok(|theirs| Ahead::of(theirs, (sent, UnixMillis::now()))).await
    };
    within(TIMEOUT, asked).await.ok()
}

/// How far another clock is ahead of ours, milliseconds, and how much of that the way there and back may account for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Ahead {
    ahead_ms: i64,
    unsure_ms: u64,
}

impl Ahead {
    /// From what it said, and when we asked and were answered: it looked at its clock about halfway.
    fn of(theirs: UnixMillis, (sent, received): (UnixMillis, UnixMillis)) -> Self {
        let half = received.0.saturating_sub(sent.0).max(0) / 2;
        Self { ahead_ms: theirs.0.saturating_sub(sent.0 + half), unsure_ms: half.unsigned_abs() }
    }

    fn is_tolerable(self) -> bool {
        Duration::from_millis(self.ahead_ms.unsigned_abs().saturating_sub(self.unsure_ms)) <= TOLERANCE
    }

    fn in_words(self) -> String {
        let by = Duration::from_millis(self.ahead_ms.unsigned_abs());
        let direction = if self.ahead_ms > 0 { "ahead of" } else { "behind" };
        format!("{by:.1?} {direction} this machine's")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_are_compared_halfway_through_the_round_trip() {
        let asked = (UnixMillis(100_000), UnixMillis(100_400));
        let ahead = |theirs| Ahead::of(UnixMillis(theirs), asked);
        assert_eq!(ahead(100_200), Ahead { ahead_ms: 0, unsure_ms: 200 });
        assert!(ahead(102_400).is_tolerable() && !ahead(102_401).is_tolerable());
        assert!(ahead(98_000).is_tolerable() && !ahead(97_999).is_tolerable());
        assert_eq!(ahead(105_200).in_words(), "5.0s ahead of this machine's");
        assert_eq!(ahead(40_200).in_words(), "60.0s behind this machine's");
        // Clocks that are set in between.
        assert_eq!(Ahead::of(UnixMillis(7), (UnixMillis(7), UnixMillis(1))).ahead_ms, 0);
    }
}
