//! A lease on a loaded model. While there is one the model stays.

use std::sync::Arc;
use std::time::Instant;

use millrace_contracts::ModelId;

use super::Inner;
use super::state::Entry;

/// A lease. Given back when it is dropped.
pub(crate) struct Lease {
    pub(super) cache: Arc<Inner>,
    pub(super) id: ModelId,
    /// Of the load, so that a lease on a forgotten model does not count for its successor.
    pub(super) generation: u64,
}

impl Drop for Lease {
    fn drop(&mut self) {
        let mut state = self.cache.lock();
        // Of a copy that was taken out meanwhile the memory is given back now: somebody may wait for it as well.
        let mut frees = true;
        if let Some(Entry::Ready(ready)) = state.entries.get_mut(&self.id)
            && ready.generation == self.generation
        {
            ready.leases -= 1;
            ready.last_used = Instant::now();
            frees = ready.leases == 0;
        }
        drop(state);
        if frees {
            self.cache.bell.notify_all();
        }
    }
}
