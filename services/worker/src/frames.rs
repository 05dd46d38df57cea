//! Decoded pictures, shared between the blocks of one worker: fetched and decoded once however many ask, held within a
//! budget of bytes.

mod errand;

use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant};

use millrace_blobs::Blobs;
use millrace_contracts::{BlobId, JobError};
use millrace_shelf::Shelf;
use millrace_vision::{Frame, Limits, Rgb, decode_over};

use self::errand::Errand;
use crate::cpu::{Caller, CpuPool};
use crate::error::{of_blobs, of_vision};
use crate::job::{Clock, Stage, panicked};

/// A picture nobody has looked at for so long is dropped whatever the budget.
const IDLE: Duration = Duration::from_secs(60);
/// How often those are looked for.
const LOOK_EVERY: Duration = Duration::from_secs(10);
/// What an entry costs besides its pixels, roughly.
const OVERHEAD_BYTES: usize = 256;

/// The pictures. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Frames {
    blobs: Blobs,
    cpu: CpuPool,
    limits: Limits,
    background: Option<Rgb>,
    decoded: Arc<Shelf<BlobId, Frame>>,
}

impl Frames {
    /// Pictures as large, and as many of them at a time, as the settings allow.
    pub(crate) fn new(blobs: Blobs, cpu: CpuPool, settings: &millrace_config::Worker) -> Self {
        let decoded = Arc::new(Shelf::new(settings.frame_cache.bytes()));
        let limits = Limits { max_pixels: settings.max_pixels, max_bytes: blobs.max_blob_bytes() };
        Self { blobs, cpu, limits, background: settings.background, decoded }
    }

    /// The upright pixels of an image blob. Whoever comes first fetches and decodes at their turn, and has that on
    /// their clock.
    pub(crate) async fn load(&self, id: BlobId, caller: Caller, clock: &Clock) -> Result<Frame, JobError> {
        self.decoded(id, caller, clock, |_: &Frame| {}).await
    }

    /// What `work` makes of these pixels, on the clock as `stage`. Who decodes them does it in one go.
    pub(crate) async fn load_for<T: Send + 'static>(
        &self,
        id: BlobId,
        (caller, clock): (Caller, &Clock),
        stage: Stage,
        work: impl FnOnce(&Frame) -> T + Send + 'static,
    ) -> Result<T, JobError> {
        let errand = Errand::new(work);
        let first = errand.clone();
        let frame = self.decoded(id, caller.clone(), clock, move |frame: &Frame| first.run(frame)).await?;
        if errand.is_to_do() {
            let late = errand.clone();
            self.cpu.run(caller, move || late.run(&frame)).await.map_err(|panic| panicked(&panic))?;
        }
        let (made, took) = errand.made().map_err(|panic| panicked(&panic))?;
        clock.add(stage, took);
        Ok(made)
    }

    /// The pixels; whoever decodes them does something `more` with them on the same thread.
    async fn decoded(
        &self,
        id: BlobId,
        caller: Caller,
        clock: &Clock,
        more: impl FnOnce(&Frame) + Send + 'static,
    ) -> Result<Frame, JobError> {
        let load = async {
            let bytes =
                clock.time(Stage::Fetch, self.blobs.get_once(id)).await.map_err(|error| of_blobs(&error))?;
            let (limits, background) = (self.limits, self.background);
            let decode = move || {
                let begun = Instant::now();
                let decoded = decode_over(&bytes, &limits, background);
                let took = begun.elapsed();
                if let Ok(frame) = &decoded {
                    more(frame);
                }
                (decoded, took)
            };
            let done = self.cpu.run(caller, decode).await.map_err(|panic| panicked(&panic))?;
            let (decoded, took) = done.0;
            clock.add(Stage::Decode, took);
            let frame = decoded.map_err(|error| of_vision(&error))?;
            let bytes = cost_of(&frame);
            Ok((frame, bytes))
        };
        self.decoded.get_or_load(&id, load).await
    }

    /// Remembers the pixels of a blob that was just written without loss.
    pub(crate) fn keep(&self, id: BlobId, frame: Frame) {
        let bytes = cost_of(&frame);
        self.decoded.keep(id, frame, bytes);
    }

    /// Drops pictures nobody looks at, again and again: a worker without jobs gives their memory back.
    pub(crate) async fn forget_idle(self) -> Result<(), Infallible> {
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            self.decoded.forget_idle(IDLE);
        }
    }

    /// Pixels a picture made here may have.
    pub(crate) fn max_pixels(&self) -> u64 {
        self.limits.max_pixels
    }
}

/// What a picture takes of the budget, bytes.
fn cost_of(frame: &Frame) -> usize {
    frame.bytes() + OVERHEAD_BYTES
}
