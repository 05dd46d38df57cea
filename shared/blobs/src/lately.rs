//! Blobs read or written lately, within a budget of bytes that holds at every moment: what no longer fits is dropped by who
//! brings something new.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use millrace_contracts::BlobId;
use quick_cache::sync::{Cache, DefaultLifecycle};
use quick_cache::{DefaultHashBuilder, OptionsBuilder, Weighter};

/// No single blob takes more than this share of the budget.
const SHARE: u64 = 16;
/// What an entry costs besides its bytes, roughly.
const ENTRY_OVERHEAD_BYTES: usize = 128;
/// How many there are, roughly: names are remembered for half as many that have gone.
const ITEMS: usize = 1024;

/// The blobs. Cheap to clone; clones are the same.
#[derive(Clone)]
pub(crate) struct Lately {
    kept: Arc<Cache<BlobId, Bytes, Weigh>>,
    max_blob_bytes: u64,
}

#[derive(Clone)]
struct Weigh;

impl Weighter<BlobId, Bytes> for Weigh {
    fn weight(&self, _: &BlobId, bytes: &Bytes) -> u64 {
        (bytes.len() + ENTRY_OVERHEAD_BYTES) as u64
    }
}

impl Lately {
    /// None yet. With a budget of 0 none is kept.
    pub(crate) fn new(budget_bytes: u64) -> Self {
        let options = OptionsBuilder::new()
            .weight_capacity(budget_bytes)
            .estimated_items_capacity(ITEMS)
            // Each shard would have a budget of its own.
            .shards(1)
            .build()
            .expect("a capacity and a number of items are all it asks for");
        let kept =
            Cache::with_options(options, Weigh, DefaultHashBuilder::default(), DefaultLifecycle::default());
        Self { kept: Arc::new(kept), max_blob_bytes: budget_bytes / SHARE }
    }

    pub(crate) fn get(&self, id: BlobId) -> Option<Bytes> {
        self.kept.get(&id)
    }

    pub(crate) fn keep(&self, id: BlobId, bytes: &Bytes) {
        if bytes.len() as u64 <= self.max_blob_bytes && !self.kept.contains_key(&id) {
            // A copy: `bytes` may be a slice that keeps a whole request body alive.
            self.kept.insert(id, Bytes::copy_from_slice(bytes));
        }
    }

    pub(crate) fn forget(&self, id: BlobId) {
        self.kept.remove(&id);
    }
}

impl fmt::Debug for Lately {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lately").field("blobs", &self.kept.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_budget_holds_at_every_moment() {
        let lately = Lately::new(100_000);
        for number in 0..1000_u32 {
            let bytes = Bytes::from(vec![0; 6000]);
            lately.keep(BlobId::of(&number.to_le_bytes()), &bytes);
            assert!(lately.kept.weight() <= 100_000, "{} after {number}", lately.kept.weight());
        }
        assert!(lately.kept.weight() > 90_000, "{}", lately.kept.weight());
    }

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
