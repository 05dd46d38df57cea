//! Patience with a Redis that is away: pauses that grow, silence up to a bound, then an error at every pause.

use std::time::{Duration, Instant};

use redis::RedisError;

use crate::BusError;
use crate::connection::{BACKOFF_MAX, BACKOFF_MIN};

/// A reader tries in silence for so long before it says so.
const SILENCE: Duration = Duration::from_secs(10);

/// One reader's view of an outage.
pub(crate) struct Outage {
    what: &'static str,
    since: Option<Instant>,
    pause: Duration,
}

impl Outage {
    pub(crate) fn new(what: &'static str) -> Self {
        Self { what, since: None, pause: BACKOFF_MIN }
    }

    /// Notes that Redis answers.
    pub(crate) fn over(&mut self) {
        if let Some(since) = self.since.take() {
            self.pause = BACKOFF_MIN;
            tracing::info!(down_for = ?since.elapsed(), "Redis answers again while reading {}", self.what);
        }
    }

    /// Pauses after `error`.
    ///
    /// # Errors
    /// [`BusError::Unavailable`] once the outage has lasted longer than ten seconds.
    pub(crate) async fn endure(&mut self, error: RedisError) -> Result<(), BusError> {
        let since = *self.since.get_or_insert_with(|| {
            metrics::counter!("millrace_bus_reconnects_total", "connection" => self.what).increment(1);
            tracing::warn!(%error, "Redis is away while reading {}; trying again", self.what);
            Instant::now()
        });
        tokio::time::sleep(self.pause).await;
        self.pause = (self.pause * 2).min(BACKOFF_MAX);
        let down_for = since.elapsed();
        if down_for > SILENCE {
            return Err(BusError::Unavailable { what: self.what, down_for, source: error });
        }
        Ok(())
    }
}
