//! Giving jobs in hand back: what a worker does that is told to stop, so that they need not wait for its claims to go
//! stale; and what it does with jobs that it was given and will not have a hand for in a while.

use std::collections::HashMap;

use millrace_contracts::WorkerId;

use super::key::QueueKey;
use super::reader::{JobDelivery, JobQueues};
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

impl JobQueues {
    /// Opens to all workers again what earlier calls were given and nobody was handed: a read that was dropped half-way, or one
    /// that brought more than was asked for. Call it before a time without reads, for nobody keeps these claims fresh: they would
    /// be taken over, and handed out here all the same. Answers how many there were. A call that is dropped half-way is to be made
    /// again before anything is read.
    ///
    /// # Errors
    /// Redis could not be reached; what was not given back is taken over once its claim is stale, and not handed out here.
    pub async fn put_back(&mut self) -> Result<u64, BusError> {
        let taken = self.finish_take().await;
        // Where a group is gone, the next read meets that again, and mends it.
        if let Some(found) = self.reader.settle().await? {
            self.accept(found).await;
        }
        let place = |delivery: &JobDelivery| (delivery.queue.clone(), delivery.entry.clone());
        let left: Vec<_> = self.ready.iter().map(place).collect();
        let worker = WorkerId::from(self.reader.consumer());
        let given = self.bus.hand_back(&worker, &left).await;
        // Not before: of a call that was dropped nobody knows how far it came.
        self.ready.clear();
        let given = given?;
        taken.map(|_| given)
    }
}
