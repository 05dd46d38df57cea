//! Giving jobs in hand back: what a worker does that is told to stop, so that they need not wait for its claims to go
//! stale.

use std::collections::HashMap;

use millrace_contracts::WorkerId;

use super::key::QueueKey;
use crate::{Bus, BusError, EntryId, keys, reply, scripts};

impl Bus {
    /// Opens the jobs that `worker` holds to all others again, and answers how many were still its own. Each counts as
    /// never handed out: a worker that leaves in order says nothing against its jobs.
    ///
    /// # Errors
    /// Redis could not be reached; what was not given back is taken over once its claim is stale.
    pub async fn hand_back(&self, worker: &WorkerId, held: &[(QueueKey, EntryId)]) -> Result<u64, BusError> {
        let what = "hand jobs back";
        let mut by_queue: HashMap<&QueueKey, Vec<&str>> = HashMap::new();
        for (queue, entry) in held {
            by_queue.entry(queue).or_default().push(entry.as_str());
        }
        let command = |(queue, ids): (&QueueKey, Vec<&str>)| {
            let mut give = scripts::HAND_BACK.on(&[&self.keys().queue(queue)], ids.len() * 24);
            give.arg(keys::WORKERS).arg(worker.as_str()).arg(ids);
            give
        };
        let replies = self.send(what, by_queue.into_iter().map(command).collect()).await?;
        replies.into_iter().map(|given| reply::count(what, given)).sum()
    }
}
