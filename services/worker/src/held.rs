//! The jobs in hand: what is claimed, and how each is told to stop.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use millrace_bus::{Abandon, EntryId, JobDelivery, QueueKey};
use millrace_contracts::{ExecutionId, Job, JobId, ModelId, Pool};
use millrace_tasks::{CancellationToken, Courtesy, Waiting};
use tokio::sync::Notify;

use crate::effort::{Effort, Mark};

/// While so many others of its flow are being worked on, a job is one of a batch, which is held up by those and not by its report.
const BATCH: usize = 4;
/// The report of such a job may wait for others this part of the time that the job was in hand, …
const PART: u32 = 8;
/// … but no longer than that; and a wait of less than the clock can tell is none.
const LEISURE: RangeInclusive<Duration> = Duration::from_millis(1)..=Duration::from_millis(8);

/// The jobs in hand. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Held {
    hand: Arc<Mutex<Hand>>,
    /// Rung when nothing is in hand any more.
    emptied: Arc<Notify>,
    courtesy: Courtesy,
}

struct Hand {
    entries: HashMap<EntryAt, Entry>,
    /// Models that had no room for another job when somebody asked, and the bell of who did.
    full: HashMap<ModelId, Arc<Notify>>,
    effort: Effort,
}

type EntryAt = (QueueKey, EntryId);

struct Entry {
    run: ExecutionId,
    job: JobId,
    flow: String,
    outlives_run: bool,
    /// Whether it is still worked on; what is left is its report.
    at_work: bool,
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
    since: Instant,
    mark: Mark,
    /// Whether its flow had no other job in hand when it was taken: somebody waits for this one alone.
    pub(crate) lone: bool,
    pub(crate) stop: Stop,
    _waiting: Option<Waiting>,
}

impl Held {
    /// None in hand, and none before. Lone jobs are shown courtesy.
    pub(crate) fn new(courtesy: Courtesy) -> Self {
        let effort = Effort::new(Instant::now());
        let hand = Hand { entries: HashMap::new(), full: HashMap::new(), effort };
        Self { hand: Arc::new(Mutex::new(hand)), emptied: Arc::default(), courtesy }
    }

    /// Takes a job in hand.
    pub(crate) fn take(&self, delivery: &JobDelivery) -> Holding {
        let at = (delivery.queue.clone(), delivery.entry.clone());
        let stop = Stop::default();
        let Job { execution_id: run, id: job, flow, outlives_run, .. } = &delivery.job;
        let entry = Entry {
            run: *run,
            job: *job,
            flow: flow.id.clone(),
            outlives_run: *outlives_run,
            at_work: true,
            stop: stop.clone(),
        };
        let mut hand = self.lock();
        let lone = hand.entries.values().all(|other| other.flow != flow.id);
        hand.entries.insert(at.clone(), entry);
        let since = Instant::now();
        let mark = hand.effort.take(since);
        drop(hand);
        let waiting = lone.then(|| self.courtesy.wait_alone(&flow.id)).flatten();
        Holding { held: self.clone(), at, since, mark, lone, stop, _waiting: waiting }
    }

    /// Every claim that is to be kept.
    pub(crate) fn claims(&self) -> Vec<EntryAt> {
        self.lock().entries.keys().cloned().collect()
    }

    /// How many jobs are in hand.
    pub(crate) fn count(&self) -> usize {
        self.lock().entries.len()
    }

    /// How many jobs of `pools` are in hand.
    pub(crate) fn count_of(&self, pools: &[Pool]) -> usize {
        self.lock().entries.keys().filter(|(queue, _)| pools.contains(&queue.pool)).count()
    }

    /// Waits until nothing is in hand. Of several who wait one is told.
    pub(crate) async fn until_empty(&self) {
        while self.count() > 0 {
            self.emptied.notified().await;
        }
    }

    /// How many more jobs of `model` there is room for, of `most` in hand at once. Without any, `bell` rings as soon as one of
    /// them has ended.
    pub(crate) fn room(&self, model: &ModelId, most: usize, bell: &Arc<Notify>) -> usize {
        let mut hand = self.lock();
        let room = most.saturating_sub(hand.count_of_model(model));
        if room == 0 {
            hand.full.insert(model.clone(), Arc::clone(bell));
        }
        room
    }

    /// How many jobs of `model` are in hand.
    pub(crate) fn count_of_model(&self, model: &ModelId) -> usize {
        self.lock().count_of_model(model)
    }

    /// The models of the jobs in hand.
    pub(crate) fn models(&self) -> HashSet<ModelId> {
        self.lock().entries.keys().filter_map(|(queue, _)| queue.model.clone()).collect()
    }

    /// The flows of the jobs in hand.
    pub(crate) fn flows(&self) -> Vec<String> {
        let hand = self.lock();
        let flows: BTreeSet<&String> = hand.entries.values().map(|entry| &entry.flow).collect();
        flows.into_iter().cloned().collect()
    }

    /// Tells the jobs that `abandon` covers to stop.
    pub(crate) fn cancel(&self, abandon: &Abandon) {
        self.lock()
            .entries
            .values()
            .filter(|entry| !entry.outlives_run && abandon.covers(entry.run, entry.job))
            .for_each(|entry| entry.stop.cancelled.cancel());
    }

    /// Tells the jobs whose claims are lost to stop.
    pub(crate) fn lose(&self, lost: &[EntryAt]) {
        let hand = self.lock();
        lost.iter().filter_map(|at| hand.entries.get(at)).for_each(|entry| entry.stop.lost.cancel());
    }

    /// Time since the start in which there was something in hand.
    pub(crate) fn busy(&self) -> Duration {
        self.lock().effort.busy(Instant::now())
    }

    fn lock(&self) -> MutexGuard<'_, Hand> {
        // Nothing under the lock can leave what is in hand half changed.
        self.hand.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Hand {
    fn count_of_model(&self, model: &ModelId) -> usize {
        self.entries.keys().filter(|(queue, _)| queue.model.as_ref() == Some(model)).count()
    }
}

impl Holding {
    /// The job's share of the worker's time so far.
    pub(crate) fn share(&self) -> Duration {
        self.held.lock().effort.share(self.mark, Instant::now())
    }

    /// Notes that the work is done; how long its report may wait for those of others.
    pub(crate) fn done(&self) -> Duration {
        let mut hand = self.held.lock();
        let Some(own) = hand.entries.get_mut(&self.at) else { return Duration::ZERO };
        own.at_work = false;
        let flow = own.flow.clone();
        let others = hand.entries.values().filter(|other| other.at_work && other.flow == flow).count();
        drop(hand);
        if others < BATCH { Duration::ZERO } else { leisure(self.since.elapsed()) }
    }
}

/// The leisure of one of a batch, after so long in hand.
fn leisure(in_hand: Duration) -> Duration {
    let part = in_hand / PART;
    if part < *LEISURE.start() { Duration::ZERO } else { part.min(*LEISURE.end()) }
}

impl Drop for Holding {
    fn drop(&mut self) {
        let mut hand = self.held.lock();
        hand.entries.remove(&self.at);
        hand.effort.release(Instant::now());
        if hand.entries.is_empty() {
            self.held.emptied.notify_one();
        }
        let bell = self.at.0.model.as_ref().and_then(|model| hand.full.remove(model));
        if let Some(bell) = bell {
            bell.notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use millrace_contracts::ExecutionId;

    use super::*;

    fn delivery(number: usize, flow: &str) -> JobDelivery {
        let job: Job = serde_json::from_value(serde_json::json!({
            "id": uuid::Uuid::now_v7(), "execution_id": ExecutionId::generate(), "node_id": "look", "path": "", "attempt": 1,
            "task": "resize@1", "pool": "cpu", "priority": "normal", "inputs": {}, "config": {}, "queued_at": 0, "reply_to": 0,
            "flow": {"id": flow, "weight": 1},
        }))
        .unwrap();
        let entry = EntryId(format!("{number}-0"));
        JobDelivery { queue: QueueKey::of(&job), entry, job, deliveries: 1 }
    }

    #[test]
    fn only_the_reports_of_a_batch_are_at_leisure() {
        let held = Held::new(Courtesy::new(1, Duration::ZERO));
        let long = Duration::from_millis(40);
        let take = |number, flow: &str| {
            let mut holding = held.take(&delivery(number, flow));
            holding.since -= long;
            holding
        };
        let lone = take(0, "lone");
        let batch: Vec<Holding> = (1..=BATCH + 2).map(|number| take(number, "batch")).collect();
        let waits: Vec<bool> = batch.iter().map(|one| one.done() >= long / PART).collect();
        assert_eq!(waits, [true, true, false, false, false, false], "the last ones have nobody to wait for");
        assert!(lone.done().is_zero(), "somebody waits for it");
    }

    #[test]
    fn leisure_is_a_part_of_the_time_in_hand_within_bounds() {
        let millis = Duration::from_millis;
        assert_eq!([millis(7), millis(16), millis(900)].map(leisure), [millis(0), millis(2), millis(8)]);
    }
}
