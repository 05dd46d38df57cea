//! The way of notes to Redis: a bounded queue, and a task that hands over what is in it, many at once.

use std::time::Duration;

use millrace_bus::Bus;
use millrace_contracts::Event;
use millrace_tasks::{CancellationToken, backoff};
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::sync::{mpsc, oneshot};

use crate::patience::patiently;
use crate::problem::{Code, Problem};

/// Notes handed over together, at most.
const MAX_BATCH: usize = 256;
/// A caller is not kept waiting for longer than this by a Redis that does not answer: the note stays in the queue.
const NOTED_WAIT: Duration = Duration::from_secs(2);
const MIN_PAUSE: Duration = Duration::from_millis(100);
const MAX_PAUSE: Duration = Duration::from_secs(2);

/// A note, and who waits until it is in Redis.
struct Noted {
    event: Event,
    done: oneshot::Sender<()>,
}

/// Where changes are noted. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Ledger(Sender<Noted>);

/// A place in the ledger: whoever has it can note one change, whatever happens to Redis meanwhile.
#[derive(Debug)]
pub(crate) struct Place(mpsc::OwnedPermit<Noted>);

/// Hands notes over.
pub(crate) struct LedgerKeeper(Receiver<Noted>);

impl Ledger {
    /// A ledger in which `places` changes may wait, and its keeper, which somebody has to run.
    pub(crate) fn new(places: usize) -> (Self, LedgerKeeper) {
        let (sender, receiver) = channel(places.max(1));
        (Self(sender), LedgerKeeper(receiver))
    }

    /// A place, to be taken before the change is made.
    ///
    /// # Errors
    /// 503 while as many wait as may.
    pub(crate) fn place(&self) -> Result<Place, Problem> {
        let permit = self.0.clone().try_reserve_owned().map_err(|_| {
            let detail =
                "changes cannot be noted for the audit, and so none is made; send it again in a moment";
            Problem::new(Code::BusUnavailable, detail)
        })?;
        Ok(Place(permit))
    }
}

impl Place {
    /// Notes a change. The future ends when the note is in Redis, or has taken long; it need not be waited for.
    pub(crate) fn note(self, event: Event) -> impl Future<Output = ()> {
        let (done, noted) = oneshot::channel();
        self.0.send(Noted { event, done });
        async move {
            if tokio::time::timeout(NOTED_WAIT, noted).await.is_err() {
                tracing::warn!("a change is made and not noted yet; the note waits for Redis");
            }
        }
    }
}

impl LedgerKeeper {
    /// Hands notes over until `stop`, then those that wait; a Redis that is away is waited for.
    pub(crate) async fn run(mut self, bus: Bus, stop: CancellationToken) {
        let mut notes = Vec::new();
        loop {
            tokio::select! {
                biased;
                taken = self.0.recv_many(&mut notes, MAX_BATCH) => if taken == 0 { return },
                () = stop.cancelled(), if !self.0.is_closed() => {
                    self.0.close();
                    continue;
                }
            }
            let (events, waiting): (Vec<_>, Vec<_>) =
                notes.drain(..).map(|note| (note.event, note.done)).unzip();
            hand_over(&bus, &events).await;
            for done in waiting {
                // Whoever waited may have gone.
                done.send(()).ok();
            }
        }
    }
}

/// Handed over twice, a note is recorded once.
async fn hand_over(bus: &Bus, events: &[Event]) {
    for pause in backoff(MIN_PAUSE, MAX_PAUSE) {
        match patiently(bus.note(events)).await {
            Ok(()) => return,
            Err(problem) => tracing::warn!(
                changes = events.len(),
                problem.code = problem.code().as_str(),
                "changes cannot be noted now; they wait for Redis"
            ),
        }
        tokio::time::sleep(pause).await;
    }
}
