//! Inference through the real ONNX Runtime, against what the reference implementations give.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod batching;
mod binding;
mod broken;
mod budget;
mod cache;
mod description;
mod devices;
mod embedding;
mod exports;
mod golden;
mod likeness;
mod loading;
mod oddities;
mod precision;
mod preprocess;
mod raw;
mod segmentation;
mod sessions;
mod stuck;
mod transformers;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use millrace_inference::{
    CacheObserver, CacheSettings, LoaderSettings, ModelCache, ModelLoader, Repository, SessionSettings,
    library_from_environment,
};

/// The version that the set-up script fetches.
const ORT_VERSION: &str = "1.31.1";

fn root() -> PathBuf {
    // Tests run in the folder of their package.
    PathBuf::from("../..")
}

/// Whole model folders, as they lie on a model hub.
fn goldens_folder() -> PathBuf {
    root().join("tests/goldens")
}

fn goldens() -> PathBuf {
    root().join("tests/goldens/shapes-detector")
}

fn loader_of(models: PathBuf, sessions: SessionSettings) -> ModelLoader {
    let library = library_from_environment(ORT_VERSION).unwrap_or_else(|error| panic!("{error}"));
    let repository = Repository::new(models);
    ModelLoader::new(LoaderSettings {
        library,
        repository,
        max_bytes: 1 << 30,
        sessions,
        serving: HashMap::new(),
    })
}

fn loader() -> ModelLoader {
    loader_of(root().join("models"), SessionSettings::default())
}

fn cache(loader: ModelLoader, max_models: usize, observer: Arc<dyn CacheObserver>) -> ModelCache {
    let settings = CacheSettings { max_models, max_bytes: 1 << 30, ..CacheSettings::default() };
    ModelCache::new(loader, settings, observer).unwrap()
}
