//! Where ONNX Runtime is.

use std::path::PathBuf;

use anyhow::Context;
use millrace_config::{LoadArgs, Settings};

/// The ONNX Runtime library: `ORT_DYLIB_PATH`, else the one that `scripts/setup.sh` fetched.
///
/// # Errors
/// When there is none, with what to do.
pub fn ort_library() -> anyhow::Result<PathBuf> {
    let loaded = Settings::load(&LoadArgs::from_process(None, Vec::new()))?;
    let library = loaded.settings.models.ort_library.unwrap_or_else(|| loaded.places.ort_library());
    anyhow::ensure!(library.is_file(), "no ONNX Runtime at {}; run scripts/setup.sh", library.display());
    library.canonicalize().with_context(|| format!("cannot resolve {}", library.display()))
}
