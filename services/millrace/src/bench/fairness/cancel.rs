//! Cancelling a run with 1,000 queued jobs: how long until its terminal event, and what is begun afterwards.

use std::fmt;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use futures::StreamExt;
use millrace_bus::{LiveFeed, LiveItem};
use millrace_contracts::{Event, EventType, ExecutionId, UnixMillis};
use serde_json::json;

use crate::bench::api::Submission;
use crate::bench::definitions;
use crate::bench::stage::Stage;
use crate::bench::stats::millis;

const ITEMS: usize = 1_000;
/// The run is cancelled once so many of its jobs have begun.
const BEGUN: usize = 20;
/// For so long after the terminal event nothing may begin.
const WATCHED: Duration = Duration::from_secs(3);
const PATIENCE: Duration = Duration::from_secs(60);
/// The promise.
const MOST: Duration = Duration::from_secs(2);

/// What came of it.
pub(super) struct Cancelled {
    /// Jobs queued when it was cancelled, in all queues.
    queued: u64,
    begun_before: usize,
    took: Duration,
    begun_after: usize,
}

impl Cancelled {
    /// Promises broken.
    pub(super) fn faults(&self) -> u64 {
        u64::from(self.took > MOST) + u64::from(self.begun_after > 0)
    }
}

impl fmt::Display for Cancelled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "cancel of a loop over {ITEMS} items: {} jobs queued, {} begun; terminal event after {:.1} ms; {} jobs begun in \
             the {} s after it",
            self.queued,
            self.begun_before,
            millis(self.took),
            self.begun_after,
            WATCHED.as_secs()
        )
    }
}

/// Plays it.
pub(super) async fn measure(stage: &Stage) -> anyhow::Result<Cancelled> {
    let picture = stage.api.upload(definitions::SCENE, "image/jpeg").await?;
    let url = stage.api.save(&definitions::slow_loop(ITEMS)).await?;
    let photos = vec![picture; ITEMS];
    let channels = [EventType::InferenceStarted, EventType::WorkflowCancelled].map(EventType::channel);
    let mut feed = stage.bus.subscribe(&channels).await?;
    let run = stage.api.submit(&Submission::new(&url, &json!({"input": {"photos": photos}}))).await?;
    let mut begun_before = 0;
    while begun_before < BEGUN {
        let next = tokio::time::timeout(PATIENCE, next_of(&mut feed, run)).await;
        next.context("the jobs of the loop did not begin")??;
        begun_before += 1;
    }
    let queued = stage.bus.queue_depths().await?.iter().map(|depth| depth.waiting).sum();
    let asked = Instant::now();
    stage.api.cancel(run).await?;
    let (took, ended_at) = loop {
        let next = tokio::time::timeout(PATIENCE, next_of(&mut feed, run)).await;
        match next.context("the run did not end")?? {
            Told::Ended(at) => break (asked.elapsed(), at),
            Told::Begun(_) => begun_before += 1,
        }
    };
    let mut begun_after = 0;
    while let Ok(next) =
        tokio::time::timeout(WATCHED.saturating_sub(asked.elapsed() - took), next_of(&mut feed, run)).await
    {
        // A worker tells of a job's start some time later, if the job is not over sooner: what counts is when it was.
        match next? {
            Told::Begun(at) if at > ended_at => begun_after += 1,
            Told::Begun(_) => begun_before += 1,
            Told::Ended(_) => {}
        }
    }
    Ok(Cancelled { queued, begun_before, took, begun_after })
}

/// What a run's event tells, and when it was.
enum Told {
    Begun(UnixMillis),
    Ended(UnixMillis),
}

/// Waits for the next event of `run`.
async fn next_of(feed: &mut LiveFeed, run: ExecutionId) -> anyhow::Result<Told> {
    while let Some(item) = feed.next().await {
        let LiveItem::Event(live) = item else { anyhow::bail!("the load generator lost its feed") };
        let event: Event = serde_json::from_str(&live.payload)?;
        if event.execution_id == Some(run) {
            let ended = live.channel == EventType::WorkflowCancelled.channel();
            return Ok(if ended { Told::Ended(event.time) } else { Told::Begun(event.time) });
        }
    }
    anyhow::bail!("the feed ended")
}
