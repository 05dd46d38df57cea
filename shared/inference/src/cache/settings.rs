//! The bounds of the cache.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use millrace_contracts::ModelId;

use super::meter::{MemoryMeter, ProcessMeter};

/// Bounds of the cache.
#[derive(Clone)]
pub struct CacheSettings {
    /// Models held at most; at least 1.
    pub max_models: usize,
    /// Memory they may take together, bytes. A model that does not fit alone is refused.
    pub max_bytes: u64,
    /// Memory a model is thought to take before it was ever measured: so many times its files.
    pub memory_factor: f64,
    /// Rows of the run that ends a load, so that the first job finds everything in place; none when 0.
    pub warm_up_rows: usize,
    /// How long that run may take; a model that takes longer is refused.
    pub warm_up_limit: Duration,
    /// Never forgotten once loaded.
    pub pinned: Vec<ModelId>,
    /// A model nobody has used for so long is forgotten; never when zero.
    pub idle_timeout: Duration,
    /// Of each pool's models so many, the latest used, are not forgotten for idleness.
    pub keep_warm: usize,
    /// A model that is in use all the time makes way for one that has waited so long for its room.
    pub switch_after: Duration,
    /// Where measured sizes are remembered for the next start; nowhere when none.
    pub facts: Option<PathBuf>,
    /// Measures memory.
    pub meter: Arc<dyn MemoryMeter>,
}

impl Default for CacheSettings {
    fn default() -> Self {
        Self {
            max_models: 16,
            max_bytes: 2 << 30,
            memory_factor: 2.0,
            warm_up_rows: 1,
            warm_up_limit: Duration::from_secs(60),
            pinned: Vec::new(),
            idle_timeout: Duration::ZERO,
            keep_warm: 1,
            switch_after: Duration::from_secs(2),
            facts: None,
            meter: Arc::new(ProcessMeter),
        }
    }
}
