//! The runs a lane holds in memory: each with the version its stored state has. What is not here is loaded.

use std::num::NonZeroUsize;

use lru::LruCache;
use millrace_contracts::ExecutionId;
use millrace_engine::Execution;

/// A run in memory and the version of its stored state; 0 when nothing is stored yet.
pub(crate) struct Held {
    pub(crate) run: Execution,
    pub(crate) version: u64,
    /// Wake-ups under way that it was sent only so that it goes on.
    pub(crate) goes_on: usize,
}

impl Held {
    pub(crate) fn new(run: Execution, version: u64) -> Self {
        Self { run, version, goes_on: 0 }
    }

    /// Takes so many wake-ups; says whether somebody else sent one of them. Which of them is whose does not matter: what is asked
    /// by one is done for another.
    pub(crate) fn take_wakes(&mut self, wakes: usize) -> bool {
        let own = self.goes_on.min(wakes);
        self.goes_on -= own;
        wakes > own
    }
}

/// A bounded set of runs; the one untouched for longest makes room, since its state is stored anyway.
pub(crate) struct HeldRuns(LruCache<ExecutionId, Held>);

impl HeldRuns {
    pub(crate) fn new(capacity: u64) -> Self {
        let capacity =
            usize::try_from(capacity).ok().and_then(NonZeroUsize::new).unwrap_or(NonZeroUsize::MIN);
        Self(LruCache::new(capacity))
    }

    pub(crate) fn take(&mut self, run: ExecutionId) -> Option<Held> {
        self.0.pop(&run)
    }

    /// Keeps a run that goes on; one that ended is not asked for again.
    pub(crate) fn keep(&mut self, held: Held) {
        if !held.run.is_terminal() {
            self.0.put(held.run.accepted().execution_id, held);
        }
    }

    /// Forgets everything, when partitions changed hands.
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }
}
