//! What stands in the cache: for the worker's signs of life, and for people.

use std::sync::Arc;

use millrace_contracts::{ModelDigest, ModelId};
use serde::Serialize;

use super::state::Entry;
use super::{Inner, Pressure};

/// What stands where.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CacheReport {
    /// The budget, bytes.
    pub budget_bytes: u64,
    /// What loaded models take, bytes.
    pub used_bytes: u64,
    /// What is set aside for models that are being loaded, bytes.
    pub reserved_bytes: u64,
    /// How short memory is.
    pub pressure: Pressure,
    /// Loaded models, in alphabetical order.
    pub warm: Vec<WarmModel>,
    /// Models on their way.
    pub loading: Vec<ModelId>,
    /// Loads since the start.
    pub loaded: u64,
    /// Models forgotten since the start.
    pub evicted: u64,
}

/// A loaded model.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WarmModel {
    /// Which.
    pub model_id: ModelId,
    /// Which copy of it: results are reused by it.
    pub digest: ModelDigest,
    /// Its family.
    pub family: &'static str,
    /// What it is made for.
    pub task: &'static str,
    /// How many numbers its vectors have; none of one that gives none, or does not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub embedding_dimension: Option<u32>,
    /// Memory it takes.
    pub bytes: u64,
    /// How long it took to load, milliseconds.
    pub load_ms: u64,
    /// How long ago it was last used, milliseconds; 0 while it is in use.
    pub idle_ms: u64,
    /// Jobs that use it now.
    pub in_use: usize,
    /// Uses since it was loaded.
    pub uses: u64,
    /// Whether it is never forgotten.
    pub pinned: bool,
    /// Rows that its next batch may have.
    pub batch_limit: usize,
}

impl CacheReport {
    pub(super) fn of(cache: &Arc<Inner>) -> Self {
        let state = cache.lock();
        let mut warm: Vec<WarmModel> = state
            .ready()
            .map(|(id, ready)| WarmModel {
                model_id: id.clone(),
                digest: ready.core.info().digest.clone(),
                family: ready.core.info().family,
                task: ready.core.info().task,
                embedding_dimension: ready.core.info().embedding_dimension,
                bytes: ready.bytes,
                load_ms: milliseconds(ready.core.info().load_time),
                idle_ms: if ready.leases > 0 { 0 } else { milliseconds(ready.last_used.elapsed()) },
                in_use: ready.leases,
                uses: ready.uses,
                pinned: ready.pinned,
                batch_limit: ready.core.batch_limit(),
            })
            .collect();
        warm.sort_by(|a, b| a.model_id.cmp(&b.model_id));
        let loads = |entry: &Entry| matches!(entry, Entry::Loading(_));
        let mut loading: Vec<ModelId> =
            state.entries.iter().filter(|(_, entry)| loads(entry)).map(|(id, _)| id.clone()).collect();
        loading.sort();
        Self {
            budget_bytes: cache.settings.max_bytes,
            used_bytes: state.bytes(),
            reserved_bytes: state.reserved(),
            pressure: state.pressure,
            warm,
            loading,
            loaded: state.loaded,
            evicted: state.evicted,
        }
    }
}

fn milliseconds(span: std::time::Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}
