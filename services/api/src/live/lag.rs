//! Whether a client is too slow. Missing events in memory is no sin, the log has them; leaving many of them unread for long is.

use std::time::Duration;

use tokio::time::Instant;

/// A client that takes what it is given sooner than this is never called slow.
const PATIENCE: Duration = Duration::from_secs(1);

/// How fast one client takes what it is given.
#[derive(Debug)]
pub(crate) struct Lag {
    /// Events that may wait for it.
    most: u64,
    given_at: Option<Instant>,
    slowest: Duration,
}

impl Lag {
    /// A fresh client that may leave `most` events unread.
    pub(crate) fn new(most: usize) -> Self {
        Self { most: most as u64, given_at: None, slowest: Duration::ZERO }
    }

    /// It was given something.
    pub(crate) fn given(&mut self, now: Instant) {
        self.given_at = Some(now);
    }

    /// It asks for more.
    pub(crate) fn taken(&mut self, now: Instant) {
        if let Some(given) = self.given_at.take() {
            self.slowest = self.slowest.max(now.saturating_duration_since(given));
        }
    }

    /// It has seen all there is.
    pub(crate) fn caught_up(&mut self) {
        self.slowest = Duration::ZERO;
    }

    /// Whether to part with it, now that `missed` events have passed it by.
    pub(crate) fn is_too_slow(&self, missed: u64) -> bool {
        missed > self.most && self.slowest > PATIENCE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_client_that_left_much_unread_for_long_is_slow() {
        let begun = Instant::now();
        let mut lag = Lag::new(100);
        assert!(!lag.is_too_slow(1_000), "a burst is not the client's fault");
        lag.given(begun);
        lag.taken(begun + Duration::from_secs(5));
        assert!(!lag.is_too_slow(100));
        assert!(lag.is_too_slow(101));
        lag.caught_up();
        assert!(!lag.is_too_slow(101));
    }
}
