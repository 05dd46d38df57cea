//! Which runs have live state: what the sweeper asks before it starts one again.

use millrace_contracts::ExecutionId;

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
}
