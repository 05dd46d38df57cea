//! `dag`: what orchestration costs. Ten steps that do nothing, done by a worker in this process.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use millrace_contracts::{Event, ExecutionId};
use millrace_tasks::{OnCancel, OnError, Supervisor, TaskKind};
use serde_json::json;

use super::api::Submission;
use super::load::{Outcome, closed_loop};
use super::meter::Meter;
use super::phase::Phase;
use super::report::Section;
use super::stage::{Scenario, Stage};
use super::{definitions, ends::Ends, worker};

/// Workers of pool `bench`.
const WORKERS: usize = 2;
/// Runs before the first phase, for connections and caches.
const WARM_UP: u64 = 20;
/// Of each phase, so many runs' events are read again from the log.
const SAMPLE_PER_PHASE: u64 = 5;
const SAMPLE_EVERY: u64 = 37;
const GRACE: Duration = Duration::from_secs(2);

/// A scene of runs that the bench's own workers do.
pub(crate) struct Scene<'a> {
    pub(crate) stage: &'a Stage,
    pub(crate) submission: Submission,
    pub(crate) ends: Ends,
    pub(crate) tasks: Supervisor,
    sample: Mutex<Vec<ExecutionId>>,
}

impl<'a> Scene<'a> {
    /// Saves the workflow, starts the workers and the watch.
    pub(crate) async fn set(stage: &'a Stage) -> anyhow::Result<Self> {
        let picture = stage.api.upload(definitions::DOT, "image/png").await?;
        let options = json!({"input": {"photo": picture}, "pool": worker::POOL});
        let submission = stage.api.prepare(&definitions::dag(), &options).await?;
        let tasks = Supervisor::under(&stage.stop);
        worker::spawn(&stage.bus, WORKERS, &tasks).await?;
        let (ends, feed) = (Ends::default(), Ends::open(&stage.bus).await?);
        tasks.spawn(TaskKind::new("bench.ends", OnError::Stop, OnCancel::Abort), ends.clone().read(feed));
        let scene = Self { stage, submission, ends, tasks, sample: Mutex::new(Vec::new()) };
        let bounds = super::Bounds { count: WARM_UP, ..stage.bounds };
        let warmed: Outcome<Duration> =
            closed_loop(bounds, WARM_UP as usize, &stage.stop, |number| scene.run(number, false)).await;
        anyhow::ensure!(
            warmed.errors == 0,
            "the first runs failed: {}",
            warmed.first_error.unwrap_or_default()
        );
        Ok(scene)
    }

    /// One phase. `followed`: each run by an event stream of its own, opened after its 202; else all by the Redis channels.
    async fn phase(&self, name: &str, in_flight: usize, followed: bool) -> anyhow::Result<Phase> {
        let meter = Meter::start(self.stage).await?;
        let bounds = self.stage.bounds;
        let outcome =
            closed_loop(bounds, in_flight, &self.stage.stop, |number| self.run(number, followed)).await;
        let cost = meter.stop(self.stage, outcome.done.len()).await?;
        Ok(Phase::new(name, in_flight, outcome, cost))
    }

    /// One run, from before its submission to its terminal event.
    async fn run(&self, number: u64, followed: bool) -> anyhow::Result<Duration> {
        let begun = Instant::now();
        let (run, ended) = if followed {
            self.stage.api.run_and_follow(&self.submission).await?
        } else {
            let run = self.stage.api.submit(&self.submission).await?;
            (run, self.ends.completion(run).await?)
        };
        if number.is_multiple_of(SAMPLE_EVERY) && number < SAMPLE_EVERY * SAMPLE_PER_PHASE {
            self.sample.lock().unwrap_or_else(PoisonError::into_inner).push(run);
        }
        Ok(ended.saturating_duration_since(begun))
    }

    /// Reads the sample's events from the log; how many runs have gaps, and a line that says so.
    async fn check_sample(&self) -> (u64, String) {
        let sample = std::mem::take(&mut *self.sample.lock().unwrap_or_else(PoisonError::into_inner));
        let (all, mut bad, mut first) = (sample.len(), 0, String::new());
        for run in sample {
            let mut seqs = Vec::new();
            let followed = self.stage.api.follow(run, |message| seqs.extend(seq(&message.data))).await;
            if let Err(error) = followed.and_then(|_| gapless(&seqs)) {
                bad += 1;
                if first.is_empty() {
                    first = format!("; run {run}: {error:#}");
                }
            }
        }
        (bad, format!("events without a gap: {} of {all} runs looked at{first}", all as u64 - bad))
    }
}

/// The place of a durable event in its run's log. Read from the event itself: an SSE parser repeats the last id for messages
/// that have none.
fn seq(data: &str) -> Option<u64> {
    serde_json::from_str::<Event>(data).ok()?.seq
}

/// 1, 2, 3 … and at least the first and the last event.
fn gapless(seqs: &[u64]) -> anyhow::Result<()> {
    anyhow::ensure!(seqs.len() >= 2, "only {} durable events", seqs.len());
    for (position, seq) in seqs.iter().enumerate() {
        anyhow::ensure!(*seq == position as u64 + 1, "event {seq} stands where {} should", position + 1);
    }
    Ok(())
}

/// Plays the scenario.
pub(crate) async fn play(stage: &Stage) -> anyhow::Result<Section> {
    let scene = Scene::set(stage).await?;
    let load = async {
        let mut phases = vec![scene.phase("one alone, followed", 1, true).await?];
        for (name, in_flight, followed) in
            [("50 in flight", 50, false), ("50 in flight, followed", 50, true), ("200 in flight", 200, false)]
        {
            if !stage.stop.is_cancelled() {
                phases.push(scene.phase(name, in_flight, followed).await?);
            }
        }
        let (faults, note) = scene.check_sample().await;
        anyhow::Ok((phases, faults, vec![note]))
    };
    let stop = stage.stop.clone();
    let played = tokio::select! {
        played = load => played,
        failed = scene.tasks.run(stop, GRACE) => Err(failed.err().map_or_else(interrupted, Into::into)),
    };
    let (phases, faults, notes) = played?;
    scene.tasks.drain(GRACE).await?;
    let what = "ten no-op steps, 1 → 8 → 1, by workers in the bench process; timed from before the submission to the \
                terminal event (followed: at the client, by an event stream per run; else on the Redis channel)";
    Ok(Section { scenario: Scenario::Dag, what: what.to_owned(), phases, faults, notes })
}

fn interrupted() -> anyhow::Error {
    anyhow::anyhow!("interrupted")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_is_found_and_so_is_an_empty_log() {
        assert!(gapless(&[1, 2, 3]).is_ok());
        for broken in [&[1, 3][..], &[2, 3], &[1, 1, 2], &[1], &[]] {
            assert!(gapless(broken).is_err(), "{broken:?}");
        }
        assert_eq!(seq("{}"), None);
    }
}
