//! ONNX Runtime in this process: found by absolute path, loaded once.

use std::path::{Path, PathBuf};
use std::sync::Mutex;

use ort::environment::Environment;

use crate::InferenceError;

/// The library allows one live environment per process, so this is the one place that remembers it; it lives
/// as long as the process.
static LOADED: Mutex<Option<Runtime>> = Mutex::new(None);

/// ONNX Runtime, loaded. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Runtime {
    environment: Environment,
    info: RuntimeInfo,
}

/// What was loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuntimeInfo {
    /// The shared library.
    pub library: PathBuf,
    /// What the library says of its build.
    pub build: String,
}

impl Runtime {
    /// Loads the library at `library`, or gives the one that is loaded already: a process has one.
    ///
    /// # Errors
    /// [`InferenceError::LibraryMissing`] and [`InferenceError::LibraryUnusable`], which say what to do.
    pub fn load(library: &Path) -> Result<Self, InferenceError> {
        let mut loaded = LOADED.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(runtime) = &*loaded {
            return Ok(runtime.clone());
        }
        let runtime = Self::open(library)?;
        *loaded = Some(runtime.clone());
        Ok(runtime)
    }

    fn open(library: &Path) -> Result<Self, InferenceError> {
        let path = std::path::absolute(library).unwrap_or_else(|_| library.to_path_buf());
        if !path.is_file() {
            return Err(InferenceError::LibraryMissing { path });
        }
        let unusable = |detail: String| InferenceError::LibraryUnusable { path: path.clone(), detail };
        let builder = ort::init_from(&path).map_err(|error| unusable(error.to_string()))?;
        let environment = builder.with_name("millrace").with_telemetry(false).build();
        let environment = environment.map_err(|error| unusable(error.to_string()))?;
        let info = RuntimeInfo { library: path, build: ort::info().to_owned() };
        tracing::debug!(ort.library = %info.library.display(), ort.build = info.build, "ONNX Runtime loaded");
        Ok(Self { environment, info })
    }

    /// What was loaded.
    #[must_use]
    pub fn info(&self) -> &RuntimeInfo {
        &self.info
    }

    pub(crate) fn environment(&self) -> &Environment {
        &self.environment
    }
}

/// Where the library is by the environment alone: `ORT_DYLIB_PATH`, else in the cache folders that the set-up script
/// uses (`MILLRACE_CACHE`, the user's cache folder, `/var/cache/millrace`). Services are told a path instead.
///
/// # Errors
/// [`InferenceError::LibraryMissing`] with the first place that was looked at.
pub fn library_from_environment(version: &str) -> Result<PathBuf, InferenceError> {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    if let Some(path) = set("ORT_DYLIB_PATH") {
        return if path.is_file() { Ok(path) } else { Err(InferenceError::LibraryMissing { path }) };
    }
    let user = set("XDG_CACHE_HOME").or_else(|| set("HOME").map(|home| home.join(".cache")));
    let caches =
        [set("MILLRACE_CACHE"), user.map(|cache| cache.join("millrace")), Some("/var/cache/millrace".into())];
    let file = format!("ort/{version}/libonnxruntime.so.{version}");
    let places: Vec<PathBuf> = caches.into_iter().flatten().map(|cache| cache.join(&file)).collect();
    let found = places.iter().find(|path| path.is_file()).cloned();
    let first = places.into_iter().next().expect("the last cache folder is always there");
    found.ok_or(InferenceError::LibraryMissing { path: first })
}
