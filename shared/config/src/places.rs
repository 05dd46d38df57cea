//! What else the environment tells: where caches and state live, and whether colour is unwanted.

use std::collections::BTreeMap;
use std::path::PathBuf;

/// Version of ONNX Runtime that `scripts/setup.sh` fetches.
pub const ORT_VERSION: &str = "1.31.1";

/// Folders and habits of the user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Places {
    /// Downloads that are made once: `MILLRACE_CACHE`, else `$XDG_CACHE_HOME/millrace`, else `~/.cache/millrace`.
    pub cache: PathBuf,
    /// The folders of `PATH`, in order.
    pub path: Vec<PathBuf>,
    /// Whether `NO_COLOR` is set.
    pub no_color: bool,
}

impl Places {
    /// From this process's environment.
    #[must_use]
    pub fn from_process() -> Self {
        Self::from_environment(&crate::LoadArgs::from_process(None, Vec::new()).environment)
    }

    pub(crate) fn from_environment(variables: &BTreeMap<String, String>) -> Self {
        let set = |name: &str| variables.get(name).filter(|text| !text.is_empty());
        let cache = set("MILLRACE_CACHE").map(PathBuf::from).unwrap_or_else(|| {
            let base = set("XDG_CACHE_HOME").map(PathBuf::from);
            let home = || set("HOME").map_or_else(std::env::temp_dir, PathBuf::from).join(".cache");
            base.unwrap_or_else(home).join("millrace")
        });
        let path = set("PATH").map(|text| std::env::split_paths(text).collect()).unwrap_or_default();
        Self { cache, path, no_color: set("NO_COLOR").is_some() }
    }

    /// The ONNX Runtime library that the set-up script fetches; it need not be there.
    #[must_use]
    pub fn ort_library(&self) -> PathBuf {
        self.cache.join("ort").join(ORT_VERSION).join(format!("libonnxruntime.so.{ORT_VERSION}"))
    }
}
