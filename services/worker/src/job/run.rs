//! A job's life in this worker.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::FutureExt;
use millrace_bus::JobDelivery;
use millrace_contracts::job::JobOutcome;
use millrace_contracts::{ErrorKind, Job, JobError, JobMetrics, UnixMillis};
use millrace_inference::Device;
use millrace_tasks::backoff;
use tokio::sync::OwnedSemaphorePermit;
use tracing::Instrument;

use super::darkroom::Door;
use super::report::Reporter;
use super::span;
use super::tell::tell;
use super::{Clock, JobContext, Outputs, Stage, milliseconds, panicked};
use crate::cpu::{Caller, Panicked, message_of};
use crate::error::of_blobs;
use crate::held::{Holding, Stop};
use crate::post::PostError;
use crate::role::Shared;
use crate::{blocks, origins};

/// What is over so soon is told of once, start and end together: nobody sees a tenth of a second, and most jobs are short.
const QUICK: Duration = Duration::from_millis(100);
const SHORTEST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// A job in hand, with the permit that bounds how many there are.
pub(crate) struct Taken {
    pub(crate) delivery: JobDelivery,
    pub(crate) holding: Holding,
    pub(crate) permit: OwnedSemaphorePermit,
}

/// A job in hand at work: it, and those that follow it, one after the other.
pub(super) struct Hand<'a> {
    pub(super) shared: &'a Arc<Shared>,
    pub(super) delivery: &'a JobDelivery,
    pub(super) holding: &'a Holding,
    pub(super) reporter: &'a Reporter<'a>,
    /// When it was taken in hand.
    pub(super) since: UnixMillis,
}

/// A job that ended, and how.
pub(super) struct Ended {
    pub(super) job: Arc<Job>,
    pub(super) started_at: UnixMillis,
    pub(super) ended_at: UnixMillis,
    /// Whether its start is still to be told.
    pub(super) untold: bool,
    pub(super) outcome: JobOutcome,
    clock: Clock,
    /// Its share of the worker's time.
    pub(super) share: Duration,
}

/// Runs a job and those that follow it, and reports on them. Ends early, and without a report, when another worker has taken
/// the job over.
pub(crate) async fn run(shared: Arc<Shared>, taken: Taken) {
    let Taken { delivery, holding, permit: _permit } = taken;
    let reporter =
        Reporter { post: &shared.post, bus: &shared.bus, worker: &shared.worker, delivery: &delivery };
    if delivery.deliveries > shared.max_deliveries {
        return bury(&shared, &reporter).await;
    }
    let hand = Hand {
        shared: &shared,
        delivery: &delivery,
        holding: &holding,
        reporter: &reporter,
        since: UnixMillis::now(),
    };
    let Some(ended) = hand.work().await else { return };
    ended.iter().for_each(|ended| tell(&ended.job, &ended.outcome));
    let Some(said) = reporter.ended(&ended, true, holding.done()) else { return };
    if let Err(error) = persist(&holding.stop, || shared.post.send(said.clone())).await {
        tracing::error!(job.id = %delivery.job.id, %error, "a report was refused; the job will be handed out again");
    }
}

impl Hand<'_> {
    /// Runs one job to its end; none when it is somebody else's by now. `charged` of the worker's time is that of the jobs
    /// before it.
    pub(super) async fn end(&self, job: Arc<Job>, charged: Duration, door: Door) -> Option<Ended> {
        let Self { shared, holding, .. } = *self;
        let started_at = if self.is_first(&job) { self.since } else { UnixMillis::now() };
        let clock = Clock::start(metrics(shared, &job), job.queued_at);
        let (mut outcome, untold) = match refused(shared, &job) {
            Some(error) => (JobOutcome::Failed { error, metrics: Box::new(clock.read()) }, false),
            None => {
                let span = span::begin(&job);
                let work = attempt(shared, &job, &clock, (holding, door)).instrument(span.clone());
                // Of the first it is told whatever becomes of those that follow it.
                let (outcome, told) = if self.is_first(&job) {
                    (work.await, false)
                } else {
                    self.told(&job, started_at, work).await
                };
                let outcome = outcome?;
                span::end(&span, &outcome);
                (outcome, !told)
            }
        };
        let share = holding.share().saturating_sub(charged);
        charge(&mut outcome, share);
        Some(Ended { job, started_at, ended_at: UnixMillis::now(), untold, outcome, clock, share })
    }

    /// Does `work`, and tells of the start of `job` beside it, unless it is over soon; whether it was told.
    pub(super) async fn told<T>(
        &self,
        job: &Arc<Job>,
        started_at: UnixMillis,
        work: impl Future<Output = T>,
    ) -> (T, bool) {
        tokio::pin!(work);
        if let Ok(done) = tokio::time::timeout(QUICK, &mut work).await {
            return (done, false);
        }
        // Said while the work goes on: the round trip costs the job nothing.
        let (said, done) = tokio::join!(self.reporter.started(job, started_at), work);
        if let Err(error) = &said {
            tracing::warn!(job.id = %job.id, %error, "the start of a job could not be reported; its end will tell");
        }
        (done, said.is_ok())
    }

    fn is_first(&self, job: &Job) -> bool {
        job.id == self.delivery.job.id
    }

    /// How much longer the work may take.
    pub(super) fn limit(&self) -> Duration {
        limit(self.shared, &self.delivery.job)
    }

    /// Whether the run no longer wants the job in hand.
    pub(super) fn is_unwanted(&self) -> bool {
        self.holding.stop.cancelled.is_cancelled()
    }
}

impl Ended {
    /// What it put out, if it did.
    pub(super) fn outputs(&self) -> Option<&Outputs> {
        match &self.outcome {
            JobOutcome::Completed { outputs, .. } => Some(outputs),
            _ => None,
        }
    }

    /// Adds what was done for it since its own work ended.
    pub(super) fn add_up(&mut self) {
        self.ended_at = UnixMillis::now();
        if let JobOutcome::Completed { metrics, .. } | JobOutcome::Failed { metrics, .. } = &mut self.outcome
        {
            **metrics = JobMetrics { worker_share_ms: metrics.worker_share_ms, ..self.clock.read() };
        }
    }

    /// Adds to its share of the worker's time.
    pub(super) fn charge(&mut self, more: Duration) {
        self.share += more;
        charge(&mut self.outcome, self.share);
    }

    /// What it made is not there after all.
    pub(super) fn fail(&mut self, error: JobError) {
        self.outcome = JobOutcome::Failed { error, metrics: Box::new(self.clock.read()) };
        charge(&mut self.outcome, self.share);
        self.ended_at = UnixMillis::now();
    }
}

fn limit(shared: &Shared, job: &Job) -> Duration {
    match job.deadline {
        Some(deadline) => Duration::from_millis(deadline.since(UnixMillis::now())),
        None => shared.job_timeout,
    }
}

/// What is known of a job's work before it begins.
fn metrics(shared: &Shared, job: &Job) -> JobMetrics {
    // Blocks without a model run on the processor whatever models run on.
    let chosen = job.model.as_ref().map(|_| &shared.chosen);
    JobMetrics {
        inference_job_id: Some(job.id),
        worker_id: Some(shared.worker.clone()),
        device: Some(chosen.map_or(Device::Cpu, |chosen| chosen.device).to_string()),
        gpu_model: chosen.and_then(|chosen| chosen.gpu_model.clone()),
        ..JobMetrics::default()
    }
}

/// Puts the job's share of the worker's time into its metrics.
fn charge(outcome: &mut JobOutcome, share: Duration) {
    if let JobOutcome::Completed { metrics, .. } | JobOutcome::Failed { metrics, .. } = outcome {
        metrics.worker_share_ms = milliseconds(share);
    }
}

/// Why the job is not worth beginning, if it is not.
fn refused(shared: &Shared, job: &Job) -> Option<JobError> {
    if shared.cancelled.covers(job) {
        return Some(cancelled());
    }
    let late = job.deadline.is_some_and(|deadline| deadline <= UnixMillis::now());
    late.then(|| JobError::new(ErrorKind::Timeout, "the job's deadline passed while it waited for a worker"))
}

fn cancelled() -> JobError {
    JobError::new(ErrorKind::Cancelled, "the run no longer wants this job")
}

/// The work itself, ended by whatever comes first; none when the job is somebody else's by now, or is to be.
async fn attempt(
    shared: &Arc<Shared>,
    job: &Arc<Job>,
    clock: &Clock,
    (holding, door): (&Holding, Door),
) -> Option<JobOutcome> {
    let (stop, caller) = (&holding.stop, Caller::of(job, holding.lone));
    let work = in_time(Arc::clone(shared), Arc::clone(job), (caller, door), clock.clone());
    let work = AssertUnwindSafe(work.boxed()).catch_unwind();
    let result = tokio::select! {
        biased;
        () = stop.lost.cancelled() => return None,
        () = stop.cancelled.cancelled() => Err(cancelled()),
        ended = work => match ended {
            Ok(result) => result,
            Err(panic) => Err(panicked(&Panicked(message_of(panic.as_ref())))),
        },
    };
    if result.is_err() && job.model.is_some() && shared.device_loss.is_noted() {
        tracing::warn!(job.id = %job.id, "a job failed of the loss of the device; another worker takes it over");
        return None;
    }
    let metrics = Box::new(clock.read());
    Some(match result {
        Ok((outputs, warnings)) => JobOutcome::Completed { outputs, metrics, warnings },
        Err(error) => JobOutcome::Failed { error, metrics },
    })
}

/// The model, and the work itself, in time. A model that is brought here for all jobs to come counts for none of them, unless this
/// one is to end by a time of its own.
async fn in_time(
    shared: Arc<Shared>,
    job: Arc<Job>,
    way: (Caller, Door),
    clock: Clock,
) -> Result<(Outputs, Vec<String>), JobError> {
    let whole = limit(&shared, &job);
    if let Some(model) = &job.model {
        let patience =
            if job.deadline.is_some() { whole } else { whole.saturating_add(shared.downloads.limit()) };
        let begun = Instant::now();
        let provided = tokio::time::timeout(patience, origins::provide(&shared, model)).await;
        if provided.map_err(|_| without_model(patience))?? {
            clock.add(Stage::ModelLoad, begun.elapsed());
        }
    }
    let left = limit(&shared, &job);
    let late = |_| {
        let message = format!("the job took longer than {} ms", whole.as_millis());
        JobError::new(ErrorKind::Timeout, message)
    };
    tokio::time::timeout(left, execute(shared, job, way, clock)).await.map_err(late)?
}

fn without_model(limit: Duration) -> JobError {
    let message = format!(
        "the job took longer than {} ms: its model was not on this worker's disk by then; a download of it that is under way goes \
         on, and a later run finds what has come",
        limit.as_millis()
    );
    JobError::new(ErrorKind::Timeout, message).at("/config/model_id")
}

/// Inputs, block, outputs.
async fn execute(
    shared: Arc<Shared>,
    job: Arc<Job>,
    way: (Caller, Door),
    clock: Clock,
) -> Result<(Outputs, Vec<String>), JobError> {
    let block = blocks::find(&job.task).ok_or_else(|| {
        let message = format!(
            "this worker does not know the block {}; it is of another version than the rest",
            job.task
        );
        JobError::new(ErrorKind::Unsupported, message)
    })?;
    let context = JobContext::open(shared, job, way, clock).await?;
    let mut outputs = block(&context).await?;
    for value in outputs.values_mut() {
        let checked = context.shared.blobs.claim_check(value.take());
        *value = context.clock.time(Stage::Upload, checked).await.map_err(|error| of_blobs(&error))?;
    }
    Ok((outputs, context.warnings()))
}

/// Fails a job for good that takes its workers down, and sets it aside.
async fn bury(shared: &Shared, reporter: &Reporter<'_>) {
    let (job, times) = (&reporter.delivery.job, reporter.delivery.deliveries - 1);
    let message = format!(
        "the job {} was begun {times} times and each time its worker went away ({}); it is not tried again",
        job.id,
        ErrorKind::WorkerUnavailable
    );
    tracing::error!(job.id = %job.id, job.task = job.task, deliveries = reporter.delivery.deliveries, "a job takes its workers down; it is set aside");
    let error = JobError::new(ErrorKind::Internal, message.clone());
    let clock = Clock::start(metrics(shared, job), job.queued_at);
    let outcome = JobOutcome::Failed { error, metrics: Box::new(clock.read()) };
    tell(job, &outcome);
    let (job, now) = (Arc::new(job.clone()), UnixMillis::now());
    let ended =
        [Ended { job, started_at: now, ended_at: now, untold: false, outcome, clock, share: Duration::ZERO }];
    let Some(said) = reporter.ended(&ended, false, Duration::ZERO) else { return };
    let stop = Stop::default();
    let mut told = persist(&stop, || shared.post.send(said.clone())).await;
    if told.is_ok() {
        let buried = || async { Ok(shared.bus.bury_job(reporter.delivery, &message).await?) };
        told = persist(&stop, buried).await;
    }
    if let Err(error) = told {
        tracing::error!(job.id = %reporter.delivery.job.id, %error, "a job could not be set aside; it will be handed out again");
    }
}

/// Tries until Redis takes it: a result is worth waiting for. Given up when the job is somebody else's by now.
async fn persist<F: Future<Output = Result<(), PostError>>>(
    stop: &Stop,
    mut say: impl FnMut() -> F,
) -> Result<(), PostError> {
    let mut pauses = backoff(SHORTEST_PAUSE, LONGEST_PAUSE);
    loop {
        match say().await {
            Err(error) if error.is_retryable() => {
                tracing::warn!(%error, "a report has to wait for Redis");
                let pause = pauses.next().unwrap_or(LONGEST_PAUSE);
                tokio::select! {
                    () = tokio::time::sleep(pause) => {}
                    () = stop.lost.cancelled() => return Ok(()),
                }
            }
            said => return said,
        }
    }
}
