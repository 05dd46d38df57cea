//! Redis, as far as the orchestrator and the workers use it. Every method is one atomic operation.

use std::collections::{BTreeMap, HashMap};

use millrace_contracts::message::{Message, Timer};
use millrace_contracts::{Event, ExecutionId, Job, UnixMillis};

use crate::support::driver::Commit;

/// A stream with one consumer group.
#[derive(Debug)]
pub(crate) struct Stream<T> {
    next: u64,
    entries: BTreeMap<u64, Entry<T>>,
}

#[derive(Debug)]
struct Entry<T> {
    item: T,
    /// Who has it, and how often it was delivered; nobody had it yet.
    held: Option<(String, u32)>,
}

/// An entry as a consumer gets it.
#[derive(Debug, Clone)]
pub(crate) struct Delivery<T> {
    pub(crate) id: u64,
    pub(crate) item: T,
    pub(crate) deliveries: u32,
}

impl<T> Default for Stream<T> {
    fn default() -> Self {
        Self { next: 0, entries: BTreeMap::new() }
    }
}

impl<T: Clone> Stream<T> {
    pub(crate) fn add(&mut self, item: T) {
        self.next += 1;
        self.entries.insert(self.next, Entry { item, held: None });
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Everything in it, with somebody or not.
    pub(crate) fn items(&self) -> impl Iterator<Item = &T> {
        self.entries.values().map(|entry| &entry.item)
    }

    /// Whether an entry like this is in it, with somebody or not.
    pub(crate) fn holds(&self, wanted: impl Fn(&T) -> bool) -> bool {
        self.entries.values().any(|entry| wanted(&entry.item))
    }

    /// Loses everything, as when one key is gone and the others are not.
    pub(crate) fn lose(&mut self) {
        self.entries.clear();
    }

    /// New entries.
    pub(crate) fn read(&mut self, consumer: &str, max: usize) -> Vec<Delivery<T>> {
        let fresh = self.entries.iter_mut().filter(|(_, entry)| entry.held.is_none()).take(max);
        fresh
            .map(|(&id, entry)| {
                entry.held = Some((consumer.to_owned(), 1));
                Delivery { id, item: entry.item.clone(), deliveries: 1 }
            })
            .collect()
    }

    /// Entries that others have; whether those are dead or only slow, nobody can tell.
    pub(crate) fn claim(&mut self, consumer: &str, max: usize) -> Vec<Delivery<T>> {
        let theirs = self
            .entries
            .iter_mut()
            .filter(|(_, entry)| entry.held.as_ref().is_some_and(|(who, _)| who != consumer));
        theirs
            .take(max)
            .map(|(&id, entry)| {
                let deliveries = entry.held.as_ref().map_or(1, |(_, count)| count + 1);
                entry.held = Some((consumer.to_owned(), deliveries));
                Delivery { id, item: entry.item.clone(), deliveries }
            })
            .collect()
    }

    /// Whether an entry is neither dealt with nor lost.
    pub(crate) fn has(&self, id: u64) -> bool {
        self.entries.contains_key(&id)
    }

    pub(crate) fn has_new(&self) -> bool {
        self.entries.values().any(|entry| entry.held.is_none())
    }

    /// Acknowledges an entry, if it is still this consumer's. What was claimed meanwhile is the claimer's to answer for: it
    /// may have committed and died before it sent anything, which a slow first reader cannot know.
    pub(crate) fn ack_own(&mut self, consumer: &str, id: u64) {
        let held = self.entries.get(&id).and_then(|entry| entry.held.as_ref());
        if held.is_some_and(|(who, _)| who == consumer) {
            self.entries.remove(&id);
        }
    }

    pub(crate) fn ack(&mut self, id: u64) {
        self.entries.remove(&id);
    }
}

/// A run's hash.
#[derive(Debug, Default, Clone)]
pub(crate) struct Stored {
    pub(crate) version: u64,
    pub(crate) fields: HashMap<String, Vec<u8>>,
}

#[derive(Debug, PartialEq)]
pub(crate) enum Outcome {
    Committed,
    Conflict,
    /// The log is past these positions.
    Rejected,
}

/// Everything that FLUSHALL loses.
#[derive(Default)]
pub(crate) struct Redis {
    pub(crate) runs: HashMap<ExecutionId, Stored>,
    pub(crate) inbox: Stream<Message>,
    pub(crate) queue: Stream<Job>,
    pub(crate) timers: HashMap<String, (UnixMillis, Timer)>,
    pub(crate) log: HashMap<ExecutionId, BTreeMap<(u32, u64), Event>>,
    /// For the writer.
    pub(crate) events: Vec<Event>,
}

impl Redis {
    /// What is left of it by FLUSHALL: nothing. Ids of stream entries are made from the time and do not come again.
    pub(crate) fn flushed(&self) -> Self {
        let mut empty = Self::default();
        (empty.inbox.next, empty.queue.next) = (self.inbox.next, self.queue.next);
        empty
    }

    /// Whether the stored run has this version; 0 when nothing is stored.
    pub(crate) fn is_at(&self, run: ExecutionId, version: u64) -> bool {
        self.runs.get(&run).map_or(0, |stored| stored.version) == version
    }

    /// The commit script.
    pub(crate) fn commit(&mut self, run: ExecutionId, versions: (u64, u64), commit: &Commit) -> Outcome {
        let (expected, new) = versions;
        if !self.is_at(run, expected) {
            return Outcome::Conflict;
        }
        let log = self.log.entry(run).or_default();
        for event in &commit.durable {
            let position = (event.epoch.unwrap(), event.seq.unwrap());
            if log.last_key_value().is_some_and(|(&last, _)| last >= position) {
                return Outcome::Rejected;
            }
            log.insert(position, event.clone());
        }
        let stored = self.runs.entry(run).or_default();
        stored.version = new;
        stored.fields.extend(commit.fields.clone());
        stored.fields.retain(|field, _| !commit.removed.contains(field));
        for (due, timer) in &commit.set_timers {
            self.timers.insert(timer.to_string(), (*due, timer.clone()));
        }
        for (due, timer) in &commit.renew_timers {
            self.timers.insert(timer.to_string(), (*due, timer.clone()));
        }
        for timer in &commit.clear_timers {
            self.timers.remove(&timer.to_string());
        }
        self.events.extend(commit.durable.iter().cloned());
        Outcome::Committed
    }

    /// Sets alarms again that may be lost, if the run is still at the version they are true of.
    pub(crate) fn renew(&mut self, run: ExecutionId, version: u64, timers: &[(UnixMillis, Timer)]) -> bool {
        if !self.is_at(run, version) {
            return false;
        }
        for (due, timer) in timers {
            self.timers.insert(timer.to_string(), (*due, timer.clone()));
        }
        true
    }

    /// Moves due timers into the inbox.
    pub(crate) fn fire_timers(&mut self, now: UnixMillis) {
        let mut due: Vec<(UnixMillis, String)> = self
            .timers
            .iter()
            .filter(|(_, (due, _))| *due <= now)
            .map(|(text, (due, _))| (*due, text.clone()))
            .collect();
        due.sort();
        for (_, text) in due {
            let (_, timer) = self.timers.remove(&text).expect("it was just listed");
            self.inbox.add(Message::Timer(timer));
        }
    }

    pub(crate) fn next_due(&self) -> Option<UnixMillis> {
        self.timers.values().map(|(due, _)| *due).min()
    }
}
