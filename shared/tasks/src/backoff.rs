//! The pauses between tries of something that will come back: a server that restarts, a child that died.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};

/// An endless run of pauses, each about twice the one before, with jitter, up to `max`.
pub type Backoff = backon::ExponentialBackoff;

/// Pauses from `min` up to `max`, without an end.
#[must_use]
pub fn backoff(min: Duration, max: Duration) -> Backoff {
    ExponentialBuilder::default()
        .with_min_delay(min)
        .with_max_delay(max)
        .with_factor(2.0)
        .with_jitter()
        .without_max_times()
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_the_ceiling_and_never_end() {
        let pauses: Vec<_> = backoff(Duration::from_millis(100), Duration::from_secs(1)).take(50).collect();
        assert_eq!(pauses.len(), 50);
        assert!(pauses[0] >= Duration::from_millis(100) && pauses[0] < Duration::from_millis(250));
        assert!(pauses[49] >= Duration::from_secs(1) && pauses[49] < Duration::from_secs(3));
    }
}
