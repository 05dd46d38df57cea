//! `[collections]`: how many vectors are kept for searching, and how much of them comes at once.

use serde::{Deserialize, Serialize};

use crate::ByteSize;

/// How many vectors are kept for searching, and how much of them comes at once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Collections {
    /// Most collections.
    pub max_collections: u32,
    /// Most points of one collection.
    pub max_points: u32,
    /// Most numbers, points × dimension, of a collection without an index (no pgvector, or more than 2000 dimensions): a
    /// search looks at each.
    pub max_scanned: u64,
    /// Most points of one request.
    pub max_batch: u32,
    /// Largest payload of a point, as JSON.
    pub max_payload: ByteSize,
    /// Requests of one api that write points at once, fewer than `database.max_connections`; more wait for their turn.
    pub writers: u32,
}

impl Default for Collections {
    fn default() -> Self {
        Self {
            max_collections: 1_000,
            max_points: 1_000_000,
            max_scanned: 20_000_000,
            max_batch: 1_000,
            max_payload: ByteSize::kib(16),
            writers: 4,
        }
    }
}
