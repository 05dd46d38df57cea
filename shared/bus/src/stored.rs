//! What the sweeper asks before it starts a run again or wakes it: has it live state, has that changed, and may its command
//! still be in line?

use std::collections::HashMap;

use millrace_contracts::{ExecutionId, Partition, UnixMillis};

use redis::Value;

use crate::run::VERSION;
use crate::{Bus, BusError, reply};

impl Bus {
    /// The version that each of `runs` has, in their order, in one round trip; none for one without live state.
    ///
    /// # Errors
    /// Redis could not be reached.
    pub async fn versions(&self, runs: &[ExecutionId]) -> Result<Vec<Option<u64>>, BusError> {
        let what = "look for live runs";
        let version = |reply| match reply {
            Value::Nil => Ok(None),
            version => reply::count(what, version).map(Some),
        };
        self.field_of(what, runs, VERSION).await?.into_iter().map(version).collect()
    }

    /// One field of each of `runs`, in their order, in one round trip; none where there is no such run or field.
    ///
    /// # Errors
    /// Redis could not be reached.
    pub async fn fields(&self, runs: &[ExecutionId], field: &str) -> Result<Vec<Option<Vec<u8>>>, BusError> {
        let what = "read a field of runs";
        let bytes = |reply| match reply {
            Value::Nil => Ok(None),
            bytes => reply::bytes(what, bytes).map(Some),
        };
        self.field_of(what, runs, field).await?.into_iter().map(bytes).collect()
    }

    async fn field_of(
        &self,
        what: &'static str,
        runs: &[ExecutionId],
        field: &str,
    ) -> Result<Vec<Value>, BusError> {
        let read = |run: &ExecutionId| {
            let mut command = redis::cmd("HGET");
            command.arg(self.keys().run(self.partition_of(*run), *run)).arg(field);
            command
        };
        self.send(what, runs.iter().map(read).collect()).await
    }

    /// When the oldest message that waits or is under way in each inbox was sent, by Redis's clock; empty inboxes are left
    /// out.
    ///
    /// # Errors
    /// Redis could not be reached.
    pub async fn oldest_messages(
        &self,
        partitions: &[Partition],
    ) -> Result<HashMap<Partition, UnixMillis>, BusError> {
        let what = "look for the oldest messages";
        let first = |partition: &Partition| {
            let mut command = redis::cmd("XRANGE");
            command.arg(self.keys().inbox(*partition)).arg("-").arg("+").arg("COUNT").arg(1);
            command
        };
        let replies = self.send(what, partitions.iter().map(first).collect()).await?;
        let mut oldest = HashMap::new();
        for (partition, reply) in partitions.iter().zip(replies) {
            let entry = reply::entries(what, reply)?.into_iter().next();
            if let Some(sent) = entry.and_then(|entry| entry.id.time()) {
                oldest.insert(*partition, sent);
            }
        }
        Ok(oldest)
    }
}
