//! A picture's file to its pixels, on a thread of the CPU pool.

use std::time::{Duration, Instant};

use millrace_blobs::LocalBlob;
use millrace_vision::{Frame, Limits, Reduction, Rgb, VisionError, decode_reduced};

/// How a picture is decoded, and what is done with it on the same thread, while its caches hold the pixels.
pub(super) struct Decoding<M> {
    pub(super) limits: Limits,
    pub(super) background: Option<Rgb>,
    pub(super) reduction: Reduction,
    pub(super) more: M,
}

/// What came of it.
pub(super) struct Decoded {
    pub(super) frame: Result<Frame, VisionError>,
    /// The decoding alone.
    pub(super) took: Duration,
}

impl<M: FnOnce(&Frame)> Decoding<M> {
    /// Decodes a file.
    pub(super) fn run(self, file: &[u8]) -> Decoded {
        let begun = Instant::now();
        let frame = decode_reduced(file, &self.limits, self.background, self.reduction);
        let took = begun.elapsed();
        if let Ok(frame) = &frame {
            (self.more)(frame);
        }
        Decoded { frame, took }
    }

    /// Reads the file and decodes it, with the time that the reading took; nothing, should the disk have to be waited for.
    pub(super) fn run_local(self, file: LocalBlob) -> Result<(Duration, Decoded), Self> {
        let begun = Instant::now();
        match file.bytes_at_once() {
            Some(bytes) => Ok((begun.elapsed(), self.run(&bytes))),
            None => Err(self),
        }
    }
}
