//! `[models]`: the model repository, the inference library, and the cache of loaded models.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::ByteSize;

/// The model repository, the inference library, and the cache of loaded models.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Models {
    /// Folder with one sub-folder per model.
    pub dir: PathBuf,
    /// ONNX Runtime's shared library. `ORT_DYLIB_PATH` is honoured; otherwise the one that
    /// scripts/setup.sh fetched.
    pub ort_library: Option<PathBuf>,
    /// Memory that loaded models may take together.
    pub memory_budget: ByteSize,
    /// Models loaded at once.
    pub max_loaded: usize,
    /// Largest model file that is loaded.
    pub max_file: ByteSize,
    /// Models loaded at start.
    pub preload: Vec<String>,
}

impl Default for Models {
    fn default() -> Self {
        Self {
            dir: PathBuf::from("models"),
            ort_library: None,
            memory_budget: ByteSize::mib(2048),
            max_loaded: 16,
            max_file: ByteSize::mib(4096),
            preload: Vec::new(),
        }
    }
}
