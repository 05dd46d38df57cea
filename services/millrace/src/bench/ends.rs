//! The ends of all runs, from the Redis channels on which everybody may listen: watching costs one subscription, not one
//! event stream per run.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use futures::StreamExt;
use millrace_bus::{Bus, LiveFeed, LiveItem};
use millrace_contracts::{EventType, ExecutionId};
use serde::Deserialize;
use tokio::sync::oneshot;

/// Longest a run may take before it counts as lost.
const RUN: Duration = Duration::from_secs(60);
const ENDS: [EventType; 3] =
    [EventType::WorkflowCompleted, EventType::WorkflowFailed, EventType::WorkflowCancelled];

/// Learns of the ends of runs. Cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct Ends(Arc<Mutex<HashMap<ExecutionId, End>>>);

/// Whichever comes first: somebody who waits, or the end.
enum End {
    Awaited(oneshot::Sender<(Instant, bool)>),
    Came(Instant, bool),
}

#[derive(Deserialize)]
struct Envelope {
    executionid: ExecutionId,
}

impl Ends {
    /// When `run` completed.
    pub(crate) async fn completion(&self, run: ExecutionId) -> anyhow::Result<Instant> {
        let waiting = {
            let mut ends = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            match ends.remove(&run) {
                Some(End::Came(at, completed)) => Err((at, completed)),
                _ => {
                    let (sender, receiver) = oneshot::channel();
                    ends.insert(run, End::Awaited(sender));
                    Ok(receiver)
                }
            }
        };
        let (at, completed) = match waiting {
            Err(came) => came,
            Ok(receiver) => {
                let came = tokio::time::timeout(RUN, receiver).await;
                came.with_context(|| format!("the end of run {run} was not seen"))??
            }
        };
        anyhow::ensure!(completed, "run {run} did not complete");
        Ok(at)
    }

    fn came(&self, run: ExecutionId, at: Instant, completed: bool) {
        let mut ends = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(End::Awaited(sender)) = ends.remove(&run) {
            // Refused only by one who gave up waiting.
            _ = sender.send((at, completed));
        } else {
            ends.insert(run, End::Came(at, completed));
        }
    }

    /// Opens the feed; runs submitted after this has returned are seen.
    pub(crate) async fn open(bus: &Bus) -> anyhow::Result<LiveFeed> {
        Ok(bus.subscribe(&ENDS.map(EventType::channel)).await?)
    }

    /// Reads the feed for ever.
    pub(crate) async fn read(self, mut feed: LiveFeed) -> anyhow::Result<()> {
        while let Some(item) = feed.next().await {
            let LiveItem::Event(live) = item else {
                anyhow::bail!("the load generator lost its feed of ends, or read it too slowly")
            };
            let at = Instant::now();
            let run = serde_json::from_str::<Envelope>(&live.payload)?.executionid;
            self.came(run, at, live.channel == EventType::WorkflowCompleted.channel());
        }
        anyhow::bail!("the feed of ends ended")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_end_is_learned_of_whether_it_comes_before_or_after_the_question() {
        let (ends, at) = (Ends::default(), Instant::now());
        let (early, late, failed) =
            (ExecutionId::generate(), ExecutionId::generate(), ExecutionId::generate());
        ends.came(early, at, true);
        assert_eq!(ends.completion(early).await.unwrap(), at);
        let (found, ()) = tokio::join!(ends.completion(late), async { ends.came(late, at, true) });
        assert_eq!(found.unwrap(), at);
        ends.came(failed, at, false);
        assert!(ends.completion(failed).await.is_err());
    }
}
