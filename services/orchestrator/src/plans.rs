//! Compiled workflows by the digest of their definition. Each is fetched and compiled once per process.

use std::sync::Arc;

use millrace_blobs::Blobs;
use millrace_compiler::{Plan, compile_text};
use millrace_contracts::{BlobId, Fault, Faults};
use moka::future::Cache;

use crate::OrchestratorError;

/// The cache. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Plans {
    blobs: Blobs,
    cache: Cache<BlobId, Arc<Plan>>,
}

impl Plans {
    pub(crate) fn new(blobs: Blobs, capacity: u64) -> Self {
        Self { blobs, cache: Cache::new(capacity) }
    }

    /// The compiled workflow whose definition is `definition`.
    pub(crate) async fn get(&self, definition: BlobId) -> Result<Arc<Plan>, OrchestratorError> {
        if let Some(plan) = self.cache.get(&definition).await {
            return Ok(plan);
        }
        let bytes = self.blobs.get(definition).await?;
        let compiled = match std::str::from_utf8(&bytes) {
            Ok(text) => compile_text(text),
            Err(_) => Err(Faults(vec![Fault::new("INVALID_JSON", "", "the definition is not UTF-8 text")])),
        };
        let plan = compiled.map_err(|faults| OrchestratorError::Definition { definition, faults })?;
        let plan = Arc::new(plan);
        self.cache.insert(definition, plan.clone()).await;
        Ok(plan)
    }
}
