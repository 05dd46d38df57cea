//! What a block is given: its inputs and configuration, and the means to work.

mod warnings;

use std::sync::{Arc, Mutex, PoisonError};

use millrace_contracts::{Job, JobError};
use millrace_vision::Frame;
use serde_json::{Map, Value};

use super::darkroom::Door;
use super::{Clock, Stage, panicked};
use crate::cpu::Caller;
use crate::error::of_blobs;
use crate::frames::Wanted;
use crate::role::Shared;
use warnings::Warnings;

/// What a block gives: its output ports.
pub(crate) type Outputs = Map<String, Value>;

/// One job at work.
pub(crate) struct JobContext {
    pub(crate) shared: Arc<Shared>,
    pub(crate) job: Arc<Job>,
    caller: Caller,
    /// Where pictures may be left that the next job reads.
    pub(crate) door: Door,
    /// Input ports, references resolved.
    pub(crate) inputs: Map<String, Value>,
    /// Configuration, references resolved.
    pub(crate) config: Map<String, Value>,
    pub(crate) clock: Clock,
    warnings: Mutex<Warnings>,
}

impl JobContext {
    /// Resolves what the job refers to.
    pub(crate) async fn open(
        shared: Arc<Shared>,
        job: Arc<Job>,
        (caller, door): (Caller, Door),
        clock: Clock,
    ) -> Result<Self, JobError> {
        let (inputs, config) = clock
            .time(Stage::Fetch, async {
                let inputs = resolved(&shared, &job.inputs).await.map_err(|error| error.at("/inputs"))?;
                let config = resolved(&shared, &job.config).await.map_err(|error| error.at("/config"))?;
                Ok::<_, JobError>((inputs, config))
            })
            .await?;
        Ok(Self { shared, job, caller, door, inputs, config, clock, warnings: Mutex::default() })
    }

    /// Whether it is all that its flow has in hand.
    pub(crate) fn is_lone(&self) -> bool {
        self.caller.lone
    }

    /// Runs `work` on the CPU pool, on the clock as `stage`.
    pub(crate) async fn cpu<T: Send + 'static>(
        &self,
        stage: Stage,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, JobError> {
        let (result, took) =
            self.shared.cpu.run(self.caller.clone(), work).await.map_err(|panic| panicked(&panic))?;
        self.clock.add(stage, took);
        Ok(result)
    }

    /// The upright pixels of an image blob.
    pub(crate) async fn frame(&self, wanted: impl Into<Wanted>) -> Result<Frame, JobError> {
        let wanted = wanted.into();
        match self.door.frame(wanted.blob) {
            Some(frame) => Ok(frame),
            None => self.shared.frames.load(wanted, self.caller.clone(), &self.clock).await,
        }
    }

    /// What `work` makes of the upright pixels of an image blob, on the CPU pool; what it takes of the job's time is its own to tell.
    pub(crate) async fn on_frame<T: Send + 'static>(
        &self,
        wanted: Wanted,
        work: impl FnOnce(&Frame) -> T + Send + 'static,
    ) -> Result<T, JobError> {
        match self.door.frame(wanted.blob) {
            Some(frame) => self.shared.frames.on_cpu(self.caller(), move || work(&frame)).await,
            None => self.shared.frames.load_for(wanted, (self.caller(), &self.clock), work).await,
        }
    }

    /// Whose turn its work on the CPU pool takes.
    pub(crate) fn caller(&self) -> Caller {
        self.caller.clone()
    }

    /// Notes something worth knowing that does not stop the job.
    pub(crate) fn warn(&self, warning: impl Into<String>) {
        self.warnings.lock().unwrap_or_else(PoisonError::into_inner).add(warning.into());
    }

    /// What was noted: the first of it, and how much more there was.
    pub(crate) fn warnings(&self) -> Vec<String> {
        self.warnings.lock().unwrap_or_else(PoisonError::into_inner).told()
    }
}

async fn resolved(shared: &Shared, fields: &Map<String, Value>) -> Result<Map<String, Value>, JobError> {
    let mut values = Map::with_capacity(fields.len());
    for (name, value) in fields {
        let value = shared.blobs.resolve(value).await.map_err(|error| of_blobs(&error))?;
        values.insert(name.clone(), value);
    }
    Ok(values)
}
