//! Which worker of a pool waits to be empty for a job on its last chance: one at a time, so that the others go on meanwhile.

use std::time::Duration;

use millrace_contracts::{Pool, WorkerId};

use crate::lease::milliseconds;
use crate::{Bus, BusError, scripts};

impl Bus {
    /// Takes or renews, for `ttl`, the right to wait for a last chance of `pool`; false when another worker has it.
    ///
    /// # Errors
    /// Redis could not be reached.
    pub async fn claim_last_chance(
        &self,
        pool: &Pool,
        worker: &WorkerId,
        ttl: Duration,
    ) -> Result<bool, BusError> {
        let mut take = scripts::LEASE.on(&[&self.keys().last_chance(pool)], 128);
        take.arg(worker.as_str()).arg(milliseconds(ttl));
        self.flag("claim a last chance", take).await
    }

    /// Gives that right back; false when another worker has it, or none.
    ///
    /// # Errors
    /// Redis could not be reached; the right ends by itself.
    pub async fn release_last_chance(&self, pool: &Pool, worker: &WorkerId) -> Result<bool, BusError> {
        let mut release = scripts::RELEASE.on(&[&self.keys().last_chance(pool)], 128);
        release.arg(worker.as_str());
        self.flag("give the claim of a last chance back", release).await
    }
}
