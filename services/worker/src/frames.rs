//! Decoded pictures, shared between the blocks of one worker: fetched and decoded once however many ask, held within a
//! budget of bytes.

mod errand;

use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant};

use millrace_blobs::Blobs;
use millrace_contracts::{BlobId, JobError};
use millrace_shelf::Shelf;
use millrace_vision::{Frame, Limits, Reduction, Rgb, decode_reduced};

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

/// A picture as it is wanted: which, and at what part of its size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Wanted {
    pub(crate) blob: BlobId,
    pub(crate) reduction: Reduction,
}

impl From<BlobId> for Wanted {
    /// All of its pixels.
    fn from(blob: BlobId) -> Self {
        Self { blob, reduction: Reduction::None }
    }
}

/// The pictures. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Frames {
    blobs: Blobs,
    cpu: CpuPool,
    limits: Limits,
    background: Option<Rgb>,
    decoded: Arc<Shelf<Wanted, Frame>>,
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
    pub(crate) async fn load(
        &self,
        wanted: Wanted,
        caller: Caller,
        clock: &Clock,
    ) -> Result<Frame, JobError> {
        self.decoded(wanted, caller, clock, |_: &Frame| {}).await
    }

    /// What `work` makes of these pixels, on the clock as `stage`. Who decodes them does it in one go.
    pub(crate) async fn load_for<T: Send + 'static>(
        &self,
        wanted: Wanted,
        (caller, clock): (Caller, &Clock),
        stage: Stage,
        work: impl FnOnce(&Frame) -> T + Send + 'static,
    ) -> Result<T, JobError> {
        let errand = Errand::new(work);
        let first = errand.clone();
        let frame =
            self.decoded(wanted, caller.clone(), clock, move |frame: &Frame| first.run(frame)).await?;
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
        wanted: Wanted,
        caller: Caller,
        clock: &Clock,
        more: impl FnOnce(&Frame) + Send + 'static,
    ) -> Result<Frame, JobError> {
        let load = async {
            let bytes = clock.time(Stage::Fetch, self.blobs.get_once(wanted.blob)).await;
            let bytes = bytes.map_err(|error| of_blobs(&error))?;
            let (limits, background) = (self.limits, self.background);
            let decode = move || {
                let begun = Instant::now();
                let decoded = decode_reduced(&bytes, &limits, background, wanted.reduction);
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
        self.decoded.get_or_load(&wanted, load).await
    }

    /// Remembers the pixels of a blob that was just written without loss.
    pub(crate) fn keep(&self, id: BlobId, frame: Frame) {
        let bytes = cost_of(&frame);
        self.decoded.keep(id.into(), frame, bytes);
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
