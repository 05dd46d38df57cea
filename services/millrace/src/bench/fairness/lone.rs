//! The lone run: what somebody does who waits for the answer.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::scene;
use crate::bench::api::Submission;
use crate::bench::definitions;
use crate::bench::ends::Ends;
use crate::bench::stage::Stage;
use crate::bench::stats::millis;

/// Pictures of the batch have lower numbers.
const FIRST_NUMBER: u64 = 1_000_000;
/// What its jobs say of themselves, in the order of their lives. The total is from the taking of a job to its report.
const STAGES: [&str; 9] = [
    "queue_wait_ms",
    "fetch_ms",
    "decode_ms",
    "preprocess_ms",
    "batch_wait_ms",
    "inference_time_ms",
    "postprocess_ms",
    "upload_ms",
    "total_time_ms",
];

/// One run after the other.
pub(super) struct Lone<'a> {
    stage: &'a Stage,
    ends: &'a Ends,
    url: String,
    number: AtomicU64,
    spent: Mutex<Spent>,
}

/// Where the time of several runs went, milliseconds, the jobs of each added up.
#[derive(Default)]
struct Spent {
    runs: usize,
    all: f64,
    stages: BTreeMap<&'static str, f64>,
}

impl<'a> Lone<'a> {
    /// Saves the workflow.
    pub(super) async fn set(stage: &'a Stage, ends: &'a Ends) -> anyhow::Result<Self> {
        let url = stage.api.save(&definitions::detect()).await?;
        Ok(Self { stage, ends, url, number: AtomicU64::new(FIRST_NUMBER), spent: Mutex::default() })
    }

    /// One run on a picture of its own, which is there before the clock starts.
    pub(super) async fn run(&self) -> anyhow::Result<Duration> {
        let picture = scene(self.number.fetch_add(1, Ordering::Relaxed));
        let picture = self.stage.api.upload(picture, "image/jpeg").await?;
        let submission = Submission::new(&self.url, &json!({"input": {"photo": picture}}));
        let begun = Instant::now();
        let run = self.stage.api.submit(&submission).await?;
        let took = self.ends.completion(run).await?.saturating_duration_since(begun);
        let shown = self.stage.api.execution(run).await?;
        self.spent.lock().unwrap_or_else(PoisonError::into_inner).add(took, &shown["node_metrics"]);
        Ok(took)
    }

    /// Where the time of the runs since the last call went, on average.
    pub(super) fn spent(&self) -> String {
        std::mem::take(&mut *self.spent.lock().unwrap_or_else(PoisonError::into_inner)).to_string()
    }
}

impl Spent {
    fn add(&mut self, took: Duration, jobs: &Value) {
        self.runs += 1;
        self.all += millis(took);
        for job in jobs.as_object().into_iter().flat_map(|jobs| jobs.values()) {
            for stage in STAGES {
                *self.stages.entry(stage).or_default() += job[stage].as_f64().unwrap_or(0.0);
            }
        }
    }
}

impl std::fmt::Display for Spent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let each = |total: f64| total / self.runs.max(1) as f64;
        write!(f, "mean {:.1} ms", each(self.all))?;
        for stage in STAGES {
            let spent = self.stages.get(stage).copied().unwrap_or(0.0);
            write!(f, ", {} {:.1}", stage.trim_end_matches("_ms").replace('_', " "), each(spent))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_jobs_of_a_run_are_added_up_and_runs_averaged() {
        let mut spent = Spent::default();
        let jobs = json!({"a": {"queue_wait_ms": 2, "total_time_ms": 3.5}, "b": {"queue_wait_ms": 4}});
        spent.add(Duration::from_millis(10), &jobs);
        spent.add(Duration::from_millis(20), &Value::Null);
        let shown = spent.to_string();
        assert!(shown.starts_with("mean 15.0 ms, queue wait 3.0, fetch 0.0,"), "{shown}");
        assert!(shown.ends_with("total time 1.8"), "{shown}");
    }
}
