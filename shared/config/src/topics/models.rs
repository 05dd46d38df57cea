//! `[models]`: the model repository, the inference library, and the cache of loaded models.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{ByteSize, Location};

/// The model repository, the inference library, and the cache of loaded models.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Models {
    /// Folder with one sub-folder per model, or a prefix in an object store laid out the same, such as
    /// s3://bucket/models: what is used of that is kept in `downloads`.
    pub dir: Location,
    /// How often `dir` is looked through for models that were added, changed or removed.
    #[serde(with = "crate::span")]
    pub look_every: Duration,
    /// ONNX Runtime's shared library. `ORT_DYLIB_PATH` is honoured; otherwise the one that
    /// scripts/setup.sh fetched.
    pub ort_library: Option<PathBuf>,
    /// Memory that loaded models may take together: on the processor the machine's, on a GPU the GPU's and what is pinned for
    /// it.
    pub memory_budget: ByteSize,
    /// Models loaded at once.
    pub max_loaded: usize,
    /// Largest model file that is loaded, or taken by the api from who registers it.
    pub max_file: ByteSize,
    /// Folder that models by URL, and those of an object store, are downloaded to; shared by the workers of a machine.
    pub downloads: PathBuf,
    /// Disk for downloaded models; beyond it the least recently used go.
    pub downloads_quota: ByteSize,
    /// Longest that downloading a model may take. Jobs without a deadline of their own wait for it beside `worker.job_timeout`.
    #[serde(with = "crate::span")]
    pub download_limit: Duration,
    /// Hosts that models may be fetched from although their addresses are not public.
    pub allowed_hosts: Vec<String>,
    /// Models loaded at start, before the worker is ready: those of `dir`, registered ones, and addresses.
    pub preload: Vec<String>,
    /// Models that are never unloaded once they are loaded.
    pub pinned: Vec<String>,
    /// Memory a model is thought to take before it was ever measured: so many times its files.
    pub memory_factor: f64,
    /// Where measured sizes are remembered for the next start; only for this one when absent.
    pub memory_facts: Option<PathBuf>,
    /// Rows of the run that ends a load, so that the first job finds everything in place; 0 for none.
    pub warm_up_rows: usize,
    /// How long that run may take; a model that takes longer is refused.
    #[serde(with = "crate::span")]
    pub warm_up_limit: Duration,
    /// A model nobody has used for so long is unloaded; 0s for never.
    #[serde(with = "crate::span")]
    pub idle_timeout: Duration,
    /// Of each pool's models so many, the latest used, are not unloaded for idleness.
    pub keep_warm: usize,
    /// A model that is in use all the time makes way for one that has waited so long for its memory.
    #[serde(with = "crate::span")]
    pub switch_after: Duration,
    /// Other values than the worker has for single models, by id; they win over the model's own millrace.toml.
    pub serving: BTreeMap<String, Serving>,
}

/// How one model is run, where it differs from `[worker]`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Serving {
    /// Its sessions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sessions: Option<usize>,
    /// Threads of one of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub intra_op_threads: Option<usize>,
    /// Most rows in one inference.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_batch: Option<usize>,
    /// Most padded pixels or tokens in one inference.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_batch_cells: Option<u64>,
    /// How long a batch may wait for more rows.
    #[serde(with = "crate::span::optional", skip_serializing_if = "Option::is_none")]
    pub max_batch_delay: Option<Duration>,
    /// What one inference should take at most.
    #[serde(with = "crate::span::optional", skip_serializing_if = "Option::is_none")]
    pub batch_latency_target: Option<Duration>,
    /// Jobs in hand of this model at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub concurrency: Option<usize>,
}

impl Default for Models {
    fn default() -> Self {
        Self {
            dir: Location::Folder("models".into()),
            look_every: Duration::from_secs(15),
            ort_library: None,
            memory_budget: ByteSize::mib(2048),
            max_loaded: 16,
            max_file: ByteSize::mib(4096),
            downloads: PathBuf::from(".millrace/models"),
            downloads_quota: ByteSize::mib(16_384),
            download_limit: Duration::from_secs(30 * 60),
            allowed_hosts: Vec::new(),
            preload: Vec::new(),
            pinned: Vec::new(),
            memory_factor: 2.0,
            memory_facts: None,
            warm_up_rows: 1,
            warm_up_limit: Duration::from_secs(60),
            idle_timeout: Duration::ZERO,
            keep_warm: 1,
            switch_after: Duration::from_secs(2),
            serving: BTreeMap::new(),
        }
    }
}
