//! The batch: 10,000 runs that keep a worker busy, by as few calls as the api allows.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use futures::{StreamExt, TryStreamExt, stream};
use millrace_bus::PlaceInLine;
use millrace_contracts::ExecutionId;
use serde_json::json;

use super::scene;
use crate::bench::definitions;
use crate::bench::stage::Stage;

const CALLS: usize = 10;
const RUNS_PER_CALL: usize = 1_000;
/// Pictures among which the runs take turns.
const PICTURES: u64 = 64;
/// Runs that are cancelled at once.
const CANCELLED_AT_ONCE: usize = 64;
/// What is left of the batch ends in this time once it is cancelled, or the report says that it did not.
const WITHDRAWN: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(50);
/// Flows of the line that are looked at: ours are among those with most runs.
const FLOWS: usize = 16;

/// The batch.
pub(super) struct Crowd<'a> {
    stage: &'a Stage,
    runs: Vec<ExecutionId>,
    took: Duration,
}

/// How far it is.
pub(super) struct Look {
    at: Instant,
    /// Runs that wait or are under way, of all workflows.
    open: u64,
    running: u64,
    limit: u64,
    oldest_ms: Option<u64>,
    /// Of the batch's last run.
    last: Option<PlaceInLine>,
}

impl<'a> Crowd<'a> {
    /// Submits it; all is accepted when this returns.
    pub(super) async fn submit(stage: &'a Stage) -> anyhow::Result<Self> {
        let uploads = (0..PICTURES).map(|number| stage.api.upload(scene(number), "image/jpeg"));
        let pictures: Vec<_> = stream::iter(uploads).buffered(8).try_collect().await?;
        let url = stage.api.save(&definitions::thumbnails()).await?;
        let inputs = pictures.iter().cycle().map(|picture| json!({"photo": picture}));
        let body = json!({"inputs": inputs.take(RUNS_PER_CALL).collect::<Vec<_>>()});
        let (begun, mut runs) = (Instant::now(), Vec::with_capacity(CALLS * RUNS_PER_CALL));
        for _ in 0..CALLS {
            runs.extend(stage.api.submit_batch(&url, &body).await?);
        }
        Ok(Self { stage, runs, took: begun.elapsed() })
    }

    /// Where it stands now.
    pub(super) async fn look(&self) -> anyhow::Result<Look> {
        let line = self.stage.bus.line(FLOWS).await?;
        let last = *self.runs.last().context("a batch has runs")?;
        Ok(Look {
            at: Instant::now(),
            open: line.waiting + line.running,
            running: line.running,
            limit: line.limit,
            oldest_ms: line.oldest_ms,
            last: self.stage.bus.place_in_line(last).await?,
        })
    }

    /// What it did between two looks.
    pub(super) fn story(&self, before: &Look, after: &Look) -> String {
        let seconds = after.at.duration_since(before.at).as_secs_f64();
        let done = before.open.saturating_sub(after.open);
        let position =
            |look: &Look| look.last.map_or_else(|| "-".to_owned(), |last| last.position.to_string());
        format!(
            "the batch of {}: accepted in {:.1} s; {} done before, {done} meanwhile in {seconds:.1} s ({:.1}/s), {} left; \
             {} of {} under way; its last run stood at {}, then {} in line; the first in line had waited {} ms, then {} ms",
            self.runs.len(),
            self.took.as_secs_f64(),
            (self.runs.len() as u64).saturating_sub(before.open),
            done as f64 / seconds.max(f64::EPSILON),
            after.open,
            after.running,
            after.limit,
            position(before),
            position(after),
            before.oldest_ms.unwrap_or(0),
            after.oldest_ms.unwrap_or(0),
        )
    }

    /// Cancels all of it, and waits until nothing of it is left.
    pub(super) async fn withdraw(&self) -> anyhow::Result<String> {
        let begun = Instant::now();
        let bus = &self.stage.bus;
        stream::iter(self.runs.iter().rev().map(|run| bus.cancel(*run, "the benchmark has seen enough")))
            .buffer_unordered(CANCELLED_AT_ONCE)
            .try_collect::<()>()
            .await?;
        let said = begun.elapsed();
        while begun.elapsed() < WITHDRAWN {
            let line = bus.line(FLOWS).await?;
            if line.waiting + line.running == 0 {
                let (said, all) = (said.as_secs_f64(), begun.elapsed().as_secs_f64());
                return Ok(format!(
                    "the rest was cancelled: all said after {said:.1} s, all ended after {all:.1} s"
                ));
            }
            tokio::time::sleep(POLL).await;
        }
        Ok(format!("the rest was cancelled, and had not ended {WITHDRAWN:?} later"))
    }
}
