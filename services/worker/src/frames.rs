//! Decoded pictures, shared between the blocks of one worker: fetched and decoded once however many ask, held within a
//! budget of bytes.

mod decoding;
mod errand;

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use millrace_blobs::Blobs;
use millrace_contracts::{BlobId, JobError};
use millrace_shelf::Shelf;
use millrace_vision::{Frame, Limits, Reduction, Rgb};

use self::decoding::{Decoded, Decoding};
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

    /// What `work` makes of these pixels; the time that it takes is its own to tell. Who decodes them does it in one go.
    pub(crate) async fn load_for<T: Send + 'static>(
        &self,
        wanted: Wanted,
        (caller, clock): (Caller, &Clock),
        work: impl FnOnce(&Frame) -> T + Send + 'static,
    ) -> Result<T, JobError> {
        let errand = Errand::new(work);
        let first = errand.clone();
        let frame =
            self.decoded(wanted, caller.clone(), clock, move |frame: &Frame| first.run(frame)).await?;
        if errand.is_to_do() {
            let late = errand.clone();
            self.on_cpu(caller, move || late.run(&frame)).await?;
        }
        errand.made().map_err(|panic| panicked(&panic))
    }

    /// The pixels; whoever decodes them does something `more` with them on the same thread.
    async fn decoded(
        &self,
        wanted: Wanted,
        caller: Caller,
        clock: &Clock,
        more: impl FnOnce(&Frame) + Send + 'static,
    ) -> Result<Frame, JobError> {
        let (limits, background) = (self.limits, self.background);
        let decoding = Decoding { limits, background, reduction: wanted.reduction, more };
        let load = async {
            let Decoded { frame, took } = self.brought(wanted.blob, (caller, clock), decoding).await?;
            clock.add(Stage::Decode, took);
            let frame = frame.map_err(|error| of_vision(&error))?;
            let bytes = cost_of(&frame);
            Ok((frame, bytes))
        };
        self.decoded.get_or_load(&wanted, load).await
    }

    /// Fetches a picture's file and decodes it. One thread does both where it need not wait for the file: each change of threads
    /// costs about as much as reading it.
    async fn brought<M: FnOnce(&Frame) + Send + 'static>(
        &self,
        blob: BlobId,
        (caller, clock): (Caller, &Clock),
        decoding: Decoding<M>,
    ) -> Result<Decoded, JobError> {
        let decoding = match self.blobs.local(blob) {
            Some(local) => {
                let both = move || decoding.run_local(local);
                match self.on_cpu(caller.clone(), both).await? {
                    Ok((fetch, decoded)) => {
                        clock.add(Stage::Fetch, fetch);
                        return Ok(decoded);
                    }
                    Err(decoding) => decoding,
                }
            }
            None => decoding,
        };
        let bytes = clock.time(Stage::Fetch, self.blobs.get_once(blob)).await;
        let bytes = bytes.map_err(|error| of_blobs(&error))?;
        self.on_cpu(caller, move || decoding.run(&bytes)).await
    }

    /// What `work` gives, on the CPU pool, on nobody's clock.
    pub(crate) async fn on_cpu<T: Send + 'static>(
        &self,
        caller: Caller,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, JobError> {
        let done = self.cpu.run(caller, work).await;
        done.map(|(made, _)| made).map_err(|panic| panicked(&panic))
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
