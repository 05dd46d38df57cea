//! Telling a worker to drain, and keeping a fleet from loading one model all at once.

use std::time::Duration;

use millrace_contracts::{ModelId, Pool, WorkerId};
use redis::Value;

use crate::lease::milliseconds;
use crate::{Bus, BusError, reply};

/// A wish that nobody has heard for so long is forgotten.
const REMEMBERED: Duration = Duration::from_secs(600);

impl Bus {
    /// The channel on which the ids of workers travel that are to drain; subscribe to it with [`Bus::subscribe`].
    #[must_use]
    pub fn drain_channel(&self) -> String {
        self.keys().drain_channel()
    }

    /// Tells `worker` to take no more jobs, finish those in hand, and end. The wish stands in a key too, for a worker that
    /// was not listening in that moment.
    ///
    /// # Errors
    /// Redis could not be reached.
    pub async fn drain_worker(&self, worker: &WorkerId) -> Result<(), BusError> {
        let mut note = redis::cmd("SET");
        note.arg(self.keys().drain(worker)).arg(1).arg("PX").arg(milliseconds(REMEMBERED));
        let mut publish = redis::cmd("PUBLISH");
        publish.arg(self.drain_channel()).arg(worker.as_str());
        self.send("tell a worker to drain", vec![note, publish]).await.map(drop)
    }

    /// Whether `worker` was told to drain.
    ///
    /// # Errors
    /// Redis could not be reached.
    pub async fn is_to_drain(&self, worker: &WorkerId) -> Result<bool, BusError> {
        let what = "ask whether to drain";
        let mut ask = redis::cmd("EXISTS");
        ask.arg(self.keys().drain(worker));
        let found = self.send(what, vec![ask]).await?.pop();
        Ok(reply::integer(what, found.unwrap_or(Value::Int(0)))? == 1)
    }

    /// Takes the right to load a model ahead of its first job of a pool, for `ttl`: false when another worker has it. A hint, so
    /// that not all workers of the pool load the same model at once.
    ///
    /// # Errors
    /// Redis could not be reached.
    pub async fn claim_preload(
        &self,
        (pool, model): (&Pool, &ModelId),
        worker: &WorkerId,
        ttl: Duration,
    ) -> Result<bool, BusError> {
        let mut take = redis::cmd("SET");
        take.arg(self.keys().preload(pool, model)).arg(worker.as_str());
        take.arg("NX").arg("PX").arg(milliseconds(ttl));
        let taken = self.send("claim a preload", vec![take]).await?.pop();
        Ok(!matches!(taken, None | Some(Value::Nil)))
    }
}
