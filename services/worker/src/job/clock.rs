//! Where a job's time goes.

use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use millrace_contracts::{JobMetrics, ModelDigest, UnixMillis};

/// The stages that are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    Fetch,
    Decode,
    Preprocess,
    BatchWait,
    Inference,
    Postprocess,
    Upload,
    ModelLoad,
}

/// A job's clock. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Clock {
    taken: Instant,
    metrics: Arc<Mutex<JobMetrics>>,
}

impl Clock {
    /// Started when the job was taken.
    pub(crate) fn start(mut metrics: JobMetrics, queued_at: UnixMillis) -> Self {
        metrics.queue_wait_ms = UnixMillis::now().since(queued_at) as f64;
        Self { taken: Instant::now(), metrics: Arc::new(Mutex::new(metrics)) }
    }

    /// Adds to a stage.
    pub(crate) fn add(&self, stage: Stage, took: Duration) {
        let mut metrics = self.lock();
        let field = match stage {
            Stage::Fetch => &mut metrics.fetch_ms,
            Stage::Decode => &mut metrics.decode_ms,
            Stage::Preprocess => &mut metrics.preprocess_ms,
            Stage::BatchWait => &mut metrics.batch_wait_ms,
            Stage::Inference => &mut metrics.inference_time_ms,
            Stage::Postprocess => &mut metrics.postprocess_ms,
            Stage::Upload => &mut metrics.upload_ms,
            Stage::ModelLoad => &mut metrics.model_load_time_ms,
        };
        *field += milliseconds(took);
    }

    /// Adds what `work` takes.
    pub(crate) async fn time<T>(&self, stage: Stage, work: impl Future<Output = T>) -> T {
        let begun = Instant::now();
        let result = work.await;
        self.add(stage, begun.elapsed());
        result
    }

    /// Notes the rows of the batch the job ran in.
    pub(crate) fn batch_rows(&self, rows: usize) {
        self.lock().batch_size = u32::try_from(rows).unwrap_or(u32::MAX);
    }

    /// Notes which copy of its model the job uses.
    pub(crate) fn model_digest(&self, digest: &ModelDigest) {
        self.lock().model_digest = Some(digest.clone());
    }

    /// Notes how often the job has sent what it is to send.
    pub(crate) fn sent(&self, times: u32) {
        self.lock().sent = Some(times);
    }

    /// Notes the HTTP status of an answer to it.
    pub(crate) fn answered(&self, status: u16) {
        self.lock().answered = Some(status);
    }

    /// The metrics so far, with the total up to now.
    pub(crate) fn read(&self) -> JobMetrics {
        let mut metrics = self.lock().clone();
        metrics.total_time_ms = milliseconds(self.taken.elapsed());
        metrics
    }

    fn lock(&self) -> MutexGuard<'_, JobMetrics> {
        // Plain numbers: nothing under the lock can leave them half changed.
        self.metrics.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// To a microsecond, which is as fine as anybody reads it.
pub(super) fn milliseconds(duration: Duration) -> f64 {
    duration.as_micros() as f64 / 1000.0
}
