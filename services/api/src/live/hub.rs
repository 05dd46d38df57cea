//! The fan-out: takes the process's one live feed apart into topics. Never waits for a client: a topic is a ring, and who
//! is too slow for it reads the log.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::StreamExt;
use millrace_bus::{Bus, LiveFeed, LiveItem};
use millrace_contracts::ExecutionId;
use tokio::sync::broadcast::{self, Receiver, Sender};

use super::frame::Frame;
use super::subscription::{Signal, Subscription};

/// The channels whose events are pushed to clients.
const PATTERNS: [&str; 4] = ["workflow:*", "inference:*", "worker:*", "model:*"];

/// Slots of a run's ring. Small, because there is one per watched run; an overrun is made good from the log.
const TOPIC_SLOTS: usize = 16;

/// How long the start waits for the feed.
const AT_ONCE: Duration = Duration::from_secs(2);

/// The topics of this process.
#[derive(Debug)]
pub(crate) struct Hub {
    topics: Mutex<HashMap<ExecutionId, Sender<Signal>>>,
    firehose: Sender<Signal>,
}

impl Hub {
    /// A hub without topics; the firehose holds `firehose_slots` events for a slow client.
    pub(crate) fn new(firehose_slots: usize) -> Arc<Self> {
        let (firehose, _) = broadcast::channel(firehose_slots.max(1));
        Arc::new(Self { topics: Mutex::default(), firehose })
    }

    /// A place at the topic of `run`, made if need be. Take it before reading the state that events are to follow.
    pub(crate) fn subscribe(self: &Arc<Self>, run: ExecutionId) -> Subscription {
        let receiver =
            self.lock().entry(run).or_insert_with(|| broadcast::channel(TOPIC_SLOTS).0).subscribe();
        Subscription::new(self.clone(), run, receiver)
    }

    /// A place at the firehose.
    pub(crate) fn firehose(&self) -> Receiver<Signal> {
        self.firehose.subscribe()
    }

    /// Passes the live feed on; it never ends by itself. `first` is the feed that was opened before anybody was served.
    pub(crate) async fn feed(self: Arc<Self>, bus: Bus, first: Option<LiveFeed>) -> Result<(), Infallible> {
        let mut feed = match first {
            Some(feed) => feed,
            None => {
                let feed = bus.subscribe_patiently(&PATTERNS).await;
                // Streams are open already, and have missed what was published before this.
                self.resync();
                feed
            }
        };
        while let Some(item) = feed.next().await {
            match item {
                LiveItem::Event(event) => self.publish(&event.payload),
                LiveItem::Reconnected => {
                    metrics::counter!("millrace_live_resyncs_total").increment(1);
                    self.resync();
                }
            }
        }
        Ok(())
    }

    /// Hands an event to whoever watches.
    pub(crate) fn publish(&self, payload: &str) {
        let Some(frame) = Frame::of(payload) else {
            metrics::counter!("millrace_live_unreadable_total").increment(1);
            return;
        };
        metrics::counter!("millrace_live_events_total").increment(1);
        let run = frame.run;
        let frame = Arc::new(frame);
        // Sending fails only when nobody listens, which is no fault.
        drop(self.firehose.send(Signal::Frame(frame.clone())));
        if let Some(run) = run
            && let Some(topic) = self.lock().get(&run)
        {
            drop(topic.send(Signal::Frame(frame)));
        }
    }

    /// Tells every stream that events may have been missed.
    pub(crate) fn resync(&self) {
        drop(self.firehose.send(Signal::Resync));
        for topic in self.lock().values() {
            drop(topic.send(Signal::Resync));
        }
    }

    /// Removes the topic of `run` when nobody is left at it.
    pub(super) fn leave(&self, run: ExecutionId) {
        let mut topics = self.lock();
        if topics.get(&run).is_some_and(|topic| topic.receiver_count() == 0) {
            topics.remove(&run);
        }
    }

    /// Topics there are now.
    pub(crate) fn topics(&self) -> usize {
        self.lock().len()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<ExecutionId, Sender<Signal>>> {
        // Nothing under the lock can leave the map half changed.
        self.topics.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The live feed, if Redis gives it at once.
pub(crate) async fn subscribe_now(bus: &Bus) -> Option<LiveFeed> {
    tokio::time::timeout(AT_ONCE, bus.subscribe(&PATTERNS)).await.ok()?.ok()
}
