//! What the sweeper asks before it starts a run again: has it live state, and may its command still be in line?

use std::collections::HashMap;

use millrace_contracts::{ExecutionId, Partition, UnixMillis};

use crate::{Bus, BusError, reply};

impl Bus {
    /// Whether each of `runs` has live state, in their order, in one round trip.
    ///
    /// # Errors
    /// Redis could not be reached.
    pub async fn are_stored(&self, runs: &[ExecutionId]) -> Result<Vec<bool>, BusError> {
        let what = "look for live runs";
        let exists = |run: &ExecutionId| {
            let mut command = redis::cmd("EXISTS");
            command.arg(self.keys().run(self.partition_of(*run), *run));
            command
        };
        let replies = self.send(what, runs.iter().map(exists).collect()).await?;
        replies.into_iter().map(|reply| Ok(reply::integer(what, reply)? == 1)).collect()
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
