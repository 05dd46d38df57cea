//! Blobs read or written lately, within a budget of bytes; none of them takes much of it.

use std::sync::Arc;

use bytes::Bytes;
use millrace_contracts::BlobId;
use millrace_shelf::Shelf;

/// No single blob takes more than this share of the budget.
const SHARE: u64 = 16;
/// What an entry costs besides its bytes, roughly.
const ENTRY_OVERHEAD_BYTES: usize = 128;

/// The blobs. Cheap to clone; clones are the same.
#[derive(Debug, Clone)]
pub(crate) struct Lately {
    shelf: Arc<Shelf<BlobId, Bytes>>,
    max_blob_bytes: u64,
}

impl Lately {
    /// None yet. With a budget of 0 none is kept.
    pub(crate) fn new(budget_bytes: u64) -> Self {
        Self { shelf: Arc::new(Shelf::new(budget_bytes)), max_blob_bytes: budget_bytes / SHARE }
    }

    pub(crate) fn get(&self, id: BlobId) -> Option<Bytes> {
        self.shelf.get(&id)
    }

    pub(crate) fn keep(&self, id: BlobId, bytes: &Bytes) {
        if bytes.len() as u64 <= self.max_blob_bytes && !self.shelf.has(&id) {
            // A copy: `bytes` may be a slice that keeps a whole request body alive.
            self.shelf.keep(id, Bytes::copy_from_slice(bytes), bytes.len() + ENTRY_OVERHEAD_BYTES);
        }
    }

    pub(crate) fn forget(&self, id: BlobId) {
        self.shelf.forget(&id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_large_or_forgotten_is_not_there_and_nothing_is_without_a_budget() {
        let (lately, none) = (Lately::new(1600), Lately::new(0));
        let [small, large] = [BlobId::of(b"small"), BlobId::of(b"large")];
        lately.keep(small, &Bytes::from(vec![1; 100]));
        lately.keep(large, &Bytes::from(vec![1; 101]));
        none.keep(small, &Bytes::new());
        assert_eq!((lately.get(small).map(|bytes| bytes.len()), lately.get(large)), (Some(100), None));
        assert_eq!(none.get(small), None);
        lately.forget(small);
        assert_eq!(lately.get(small), None);
    }
}
