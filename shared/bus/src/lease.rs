//! Who leads a partition, and which orchestrator replicas are there. Leases only make conflicts rare: correctness rests
//! on the commit's compare-and-set.

use std::time::Duration;

use millrace_contracts::Partition;
use redis::Value;

use crate::{Bus, BusError, reply, scripts};

impl Bus {
    /// Takes or renews the lease of `partition` for `ttl`; false when another replica holds it.
    ///
    /// # Errors
    /// Redis could not be reached.
    pub async fn lease_partition(
        &self,
        partition: Partition,
        owner: &str,
        ttl: Duration,
    ) -> Result<bool, BusError> {
        let mut lease = scripts::LEASE.on(&[&self.keys().owner(partition)], 128);
        lease.arg(owner).arg(milliseconds(ttl));
        self.flag("lease a partition", lease).await
    }

    /// Gives the lease of `partition` back; false when it was not held.
    ///
    /// # Errors
    /// Redis could not be reached.
    pub async fn release_partition(&self, partition: Partition, owner: &str) -> Result<bool, BusError> {
        let mut release = scripts::RELEASE.on(&[&self.keys().owner(partition)], 128);
        release.arg(owner);
        self.flag("release a partition", release).await
    }

    /// Notes that replica `id` is alive, and answers all replicas seen within `ttl`, sorted. The clock of Redis counts, so that
    /// replicas whose clocks differ agree on who is there.
    ///
    /// # Errors
    /// Redis could not be reached.
    pub async fn heartbeat_orchestrator(&self, id: &str, ttl: Duration) -> Result<Vec<String>, BusError> {
        let what = "note an orchestrator's heartbeat";
        let mut note = scripts::HEARTBEAT.on(&[&self.keys().orchestrators()], 128);
        note.arg(id).arg(milliseconds(ttl));
        let listed = self.send(what, vec![note]).await?.pop().unwrap_or(Value::Nil);
        let names = reply::array(what, listed)?.into_iter().map(|name| reply::text(what, name));
        let mut names = names.collect::<Result<Vec<_>, _>>()?;
        names.sort_unstable();
        Ok(names)
    }

    /// Takes replica `id` off the list, on an orderly end.
    ///
    /// # Errors
    /// Redis could not be reached.
    pub async fn remove_orchestrator(&self, id: &str) -> Result<(), BusError> {
        let mut remove = redis::cmd("ZREM");
        remove.arg(self.keys().orchestrators()).arg(id);
        self.send("remove an orchestrator", vec![remove]).await.map(drop)
    }

    pub(crate) async fn flag(&self, what: &'static str, command: redis::Cmd) -> Result<bool, BusError> {
        let reply = self.send(what, vec![command]).await?.pop().unwrap_or(Value::Int(0));
        Ok(reply::integer(what, reply)? == 1)
    }
}

/// Milliseconds for Redis, at least one: it refuses zero.
pub(crate) fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX).max(1)
}
