//! Where a worker stands in its life, for those who ask whether it is ready.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

/// Where a worker stands. Cheap to clone; all clones tell the same.
#[derive(Debug, Clone, Default)]
pub struct Phase(Arc<AtomicU8>);

const STARTING: u8 = 0;
const ACTIVE: u8 = 1;
const DRAINING: u8 = 2;

impl Phase {
    /// Whether it takes jobs: everything that is to be there from the start is loaded, and it was not told to stop.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.0.load(Ordering::Relaxed) == ACTIVE
    }

    /// `starting`, `active` or `draining`.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self.0.load(Ordering::Relaxed) {
            STARTING => "starting",
            ACTIVE => "active",
            _ => "draining",
        }
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.0.load(Ordering::Relaxed) == DRAINING
    }

    pub(crate) fn activate(&self) {
        self.0.store(ACTIVE, Ordering::Relaxed);
    }

    pub(crate) fn drain(&self) {
        self.0.store(DRAINING, Ordering::Relaxed);
    }
}
