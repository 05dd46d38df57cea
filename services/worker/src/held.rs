//! The jobs in hand: what is claimed, and how each is told to stop.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use millrace_bus::{Abandon, EntryId, JobDelivery, QueueKey};
use millrace_contracts::{ExecutionId, JobId, ModelId};
use millrace_tasks::CancellationToken;

/// The jobs in hand. Cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct Held {
    entries: Arc<Mutex<HashMap<EntryAt, Entry>>>,
}

type EntryAt = (QueueKey, EntryId);

struct Entry {
    run: ExecutionId,
    job: JobId,
    stop: Stop,
}

/// Why a job in hand is to stop.
#[derive(Clone, Default)]
pub(crate) struct Stop {
    /// Its run no longer wants it.
    pub(crate) cancelled: CancellationToken,
    /// Another worker has taken it over, or may: it was handed back.
    pub(crate) lost: CancellationToken,
}

/// A job's place among those in hand; given back when it is dropped.
pub(crate) struct Holding {
    held: Held,
    at: EntryAt,
    pub(crate) stop: Stop,
}

impl Held {
    /// Takes a job in hand.
    pub(crate) fn take(&self, delivery: &JobDelivery) -> Holding {
        let at = (delivery.queue.clone(), delivery.entry.clone());
        let stop = Stop::default();
        let entry = Entry { run: delivery.job.execution_id, job: delivery.job.id, stop: stop.clone() };
        self.lock().insert(at.clone(), entry);
        Holding { held: self.clone(), at, stop }
    }

    /// Every claim that is to be kept.
    pub(crate) fn claims(&self) -> Vec<EntryAt> {
        self.lock().keys().cloned().collect()
    }

    /// How many jobs are in hand.
    pub(crate) fn count(&self) -> usize {
        self.lock().len()
    }

    /// How many jobs of `model` are in hand.
    pub(crate) fn of_model(&self, model: &ModelId) -> usize {
        self.lock().keys().filter(|(queue, _)| queue.model.as_ref() == Some(model)).count()
    }

    /// The models of the jobs in hand.
    pub(crate) fn models(&self) -> HashSet<ModelId> {
        self.lock().keys().filter_map(|(queue, _)| queue.model.clone()).collect()
    }

    /// Tells the jobs that `abandon` covers to stop.
    pub(crate) fn cancel(&self, abandon: &Abandon) {
        self.lock()
            .values()
            .filter(|entry| abandon.covers(entry.run, entry.job))
            .for_each(|entry| entry.stop.cancelled.cancel());
    }

    /// Tells the jobs whose claims are lost to stop.
    pub(crate) fn lose(&self, lost: &[EntryAt]) {
        let entries = self.lock();
        lost.iter().filter_map(|at| entries.get(at)).for_each(|entry| entry.stop.lost.cancel());
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<EntryAt, Entry>> {
        // Nothing under the lock can leave the entries half changed.
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Holding {
    fn drop(&mut self) {
        self.held.lock().remove(&self.at);
    }
}
