//! Holding on to jobs under way, and letting go of those that are done.

use std::collections::HashMap;

use millrace_contracts::WorkerId;
use redis::Cmd;

use super::key::QueueKey;
use super::reader::JobDelivery;
use crate::ack::settle_commands;
use crate::dead_letters::DeadLetter;
use crate::{Bus, BusError, EntryId, keys, reply, scripts};

impl Bus {
    /// Keeps `worker`'s claims on `held` fresh, in one pipeline; answers those it holds no longer, because another
    /// worker has taken them over or they are gone. Call it well within the time after which claims count as stale.
    ///
    /// # Errors
    /// Redis could not be reached.
    pub async fn keep(
        &self,
        worker: &WorkerId,
        held: &[(QueueKey, EntryId)],
    ) -> Result<Vec<(QueueKey, EntryId)>, BusError> {
        let what = "keep jobs";
        let mut by_queue: HashMap<&QueueKey, Vec<&str>> = HashMap::new();
        for (queue, entry) in held {
            by_queue.entry(queue).or_default().push(entry.as_str());
        }
        let mut queues = Vec::with_capacity(by_queue.len());
        let mut commands = Vec::with_capacity(by_queue.len());
        for (queue, ids) in by_queue {
            let mut keep = scripts::KEEP_JOBS.on(&[&self.keys().queue(queue)], ids.len() * 24);
            keep.arg(keys::WORKERS).arg(worker.as_str()).arg(ids);
            commands.push(keep);
            queues.push(queue);
        }
        let mut lost = Vec::new();
        for (queue, reply) in queues.into_iter().zip(self.send(what, commands).await?) {
            for id in reply::array(what, reply)? {
                lost.push((queue.clone(), EntryId(reply::text(what, id)?)));
            }
        }
        Ok(lost)
    }

    /// Acknowledges jobs whose reports are in, in one pipeline.
    ///
    /// # Errors
    /// Redis could not be reached; repeating it is harmless.
    pub async fn ack_jobs(&self, done: &[(QueueKey, EntryId)]) -> Result<(), BusError> {
        self.send("acknowledge jobs", self.ack_commands(done)).await.map(drop)
    }

    /// What acknowledges jobs, one script per queue.
    pub(crate) fn ack_commands(&self, done: &[(QueueKey, EntryId)]) -> Vec<Cmd> {
        settle_commands(keys::WORKERS, done.iter().map(|(queue, entry)| (self.keys().queue(queue), entry)))
    }

    /// Sets a job aside that must not be tried again, with the reason, in `<its stream>:dead`. Report its failure
    /// first: burying acknowledges it.
    ///
    /// # Errors
    /// Redis could not be reached.
    pub async fn bury_job(&self, delivery: &JobDelivery, reason: &str) -> Result<(), BusError> {
        let letter = DeadLetter {
            stream: self.keys().queue(&delivery.queue),
            group: keys::WORKERS,
            entry: delivery.entry.clone(),
            reason: reason.to_owned(),
            field: Some(keys::JOB.to_owned()),
            content: serde_json::to_vec(&delivery.job).map_err(BusError::encode("a job"))?,
        };
        self.bury(vec![letter]).await
    }
}
