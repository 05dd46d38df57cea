//! The figures of a window of time: what the views `wf_…_hourly` show by the hour, from the same functions in the database, so
//! that a dashboard and a SQL prompt never disagree. Reads only the rows of the window.

mod read;

use std::time::Duration;

use millrace_contracts::UnixMillis;
use serde::Serialize;

use crate::{Store, StoreError};

/// Which time the figures are of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StatsWindow {
    /// From here on.
    pub since: UnixMillis,
    /// Up to here.
    pub until: UnixMillis,
    /// The width of a point in the series; buckets begin at multiples of it since the Unix epoch.
    pub bucket: Duration,
}

/// Runs and jobs of one bucket, counted where they began. Durations are in milliseconds; a figure that nothing went into is none.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Kpi {
    /// Where the bucket begins, milliseconds since the Unix epoch.
    pub at: i64,
    /// Workflows saved for the first time.
    pub workflows_created: i64,
    /// Runs accepted.
    pub runs: i64,
    /// Of them, completed.
    pub completed: i64,
    /// Of them, failed.
    pub failed: i64,
    /// Of them, timed out.
    pub timed_out: i64,
    /// Of them, cancelled.
    pub cancelled: i64,
    /// Of them, pending or running.
    pub unfinished: i64,
    /// Completed among completed, failed and timed out, 0 to 1.
    pub success_rate: Option<f64>,
    /// Median time from start to end of a run.
    pub p50_ms: Option<f64>,
    /// The same, 95th percentile.
    pub p95_ms: Option<f64>,
    /// The same, 99th percentile.
    pub p99_ms: Option<f64>,
    /// Jobs handed to pools, those answered from the cache included.
    pub jobs: i64,
    /// Attempts that failed.
    pub jobs_failed: i64,
    /// Jobs answered from the cache.
    pub jobs_cached: i64,
    /// Median time of a job from queued to taken.
    pub queue_wait_p50_ms: Option<f64>,
    /// The same, 95th percentile.
    pub queue_wait_p95_ms: Option<f64>,
    /// What the runs cost.
    pub cost: Option<f64>,
}

/// How often something went wrong in one way.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ErrorCount {
    /// The kind, `OUT_OF_MEMORY` and the like.
    pub kind: String,
    /// Runs that ended with it.
    pub runs: i64,
    /// Attempts that failed with it, those that a retry made good included.
    pub jobs: i64,
}

/// How one model was used for one task.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ModelUse {
    /// The model.
    pub model_id: String,
    /// The block, `detection@1`.
    pub task: String,
    /// Jobs.
    pub jobs: i64,
    /// Of them, completed.
    pub completed: i64,
    /// Of them, attempts that failed.
    pub failed: i64,
    /// Of them, cancelled.
    pub cancelled: i64,
    /// Of them, answered from the cache.
    pub cached: i64,
    /// Cached among completed, 0 to 1.
    pub cache_hit_rate: Option<f64>,
    /// Jobs that waited for the model to load.
    pub cold_starts: i64,
    /// How long they waited in all.
    pub load_ms: f64,
    /// Median time of a job from taken to ended.
    pub p50_ms: Option<f64>,
    /// The same, 95th percentile.
    pub p95_ms: Option<f64>,
    /// The same, 99th percentile.
    pub p99_ms: Option<f64>,
    /// Median time of a job from queued to taken.
    pub queue_wait_p50_ms: Option<f64>,
    /// The same, 95th percentile.
    pub queue_wait_p95_ms: Option<f64>,
    /// Rows in the batches that jobs ran in, on average.
    pub mean_batch_size: Option<f64>,
    /// Time inside the session, each job its part of the batch.
    pub inference_ms: f64,
    /// The same, of jobs on a GPU.
    pub gpu_ms: f64,
    /// The jobs' shares of their workers' time.
    pub share_ms: f64,
    /// What those cost.
    pub cost: Option<f64>,
}

/// What the runs of one workflow cost.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct WorkflowCost {
    /// The saved workflow; none for all runs of unsaved definitions together.
    pub workflow_id: Option<uuid::Uuid>,
    /// Its name.
    pub workflow: Option<String>,
    /// Runs.
    pub runs: i64,
    /// Jobs completed in them.
    pub inferences: i64,
    /// Time from start to end of all runs, milliseconds.
    pub run_ms: f64,
    /// What they cost.
    pub cost: Option<f64>,
    /// The same, per run.
    pub cost_per_run: Option<f64>,
    /// The same, per thousand jobs.
    pub cost_per_1000_inferences: Option<f64>,
}

/// How the workers that serve the same pools spent their time, in slices of five minutes.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FleetTime {
    /// The pools, sorted and joined by commas.
    pub pools: String,
    /// Workers that lived in the window.
    pub workers: i64,
    /// How long they lived, together.
    pub up_ms: i64,
    /// Of that, with something in hand.
    pub busy_ms: i64,
    /// Of that, with nothing in hand.
    pub idle_ms: i64,
    /// Busy among lived, 0 to 1.
    pub utilisation: Option<f64>,
    /// Hours that their GPUs were there.
    pub gpu_hours: f64,
    /// What their lives cost.
    pub cost: Option<f64>,
    /// Of that, while they had nothing in hand.
    pub idle_cost: Option<f64>,
}

/// The figures of a window.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = Counted))]
pub struct Stats {
    /// The window as one bucket.
    pub totals: Kpi,
    /// The window in buckets, oldest first, without gaps.
    pub series: Vec<Kpi>,
    /// What went wrong, most frequent first.
    pub errors: Vec<ErrorCount>,
    /// Models and tasks, most used first.
    pub models: Vec<ModelUse>,
    /// Workflows, dearest first.
    pub workflows: Vec<WorkflowCost>,
    /// The fleet by pools.
    pub fleet: Vec<FleetTime>,
}

impl Store {
    /// The figures of `window`. Takes time that grows with the runs and jobs in it: keep the answer for a moment.
    ///
    /// # Errors
    /// `Unavailable` without a server, and when the window holds more than can be counted within the statement timeout.
    pub async fn stats(&self, window: StatsWindow) -> Result<Stats, StoreError> {
        let mut connection = self.connection().await?;
        let reader = read::Reader::of(window);
        Ok(Stats {
            totals: reader.totals(&mut connection).await?,
            series: reader.series(&mut connection).await?,
            errors: reader.errors(&mut connection).await?,
            models: reader.models(&mut connection).await?,
            workflows: reader.workflows(&mut connection).await?,
            fleet: reader.fleet(&mut connection).await?,
        })
    }
}
