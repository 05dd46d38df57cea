//! Loaded models: loaded once however many ask, bounded, the least recently used forgotten first.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use futures::FutureExt;
use futures::future::{BoxFuture, Shared};
use millrace_contracts::ModelId;

use crate::{InferenceError, Model, ModelInfo, ModelLoader};

/// Bounds of the cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CacheSettings {
    /// Models held at most; at least 1.
    pub max_models: usize,
    /// Size of their files together, bytes: a stand-in for their memory. One model may exceed it alone.
    pub max_bytes: u64,
}

/// Hears what the cache does. Called outside its lock; must not block.
pub trait CacheObserver: Send + Sync {
    /// A load begins.
    fn loading(&self, id: &ModelId);
    /// A model is ready.
    fn loaded(&self, info: &ModelInfo);
    /// A model was forgotten.
    fn evicted(&self, id: &ModelId);
    /// A load failed.
    fn failed(&self, id: &ModelId, error: &InferenceError);
}

/// An observer that does nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Quiet;

impl CacheObserver for Quiet {
    fn loading(&self, _: &ModelId) {}
    fn loaded(&self, _: &ModelInfo) {}
    fn evicted(&self, _: &ModelId) {}
    fn failed(&self, _: &ModelId, _: &InferenceError) {}
}

/// A model out of the cache.
#[derive(Debug, Clone)]
pub struct Warm {
    /// The model. Holding it keeps it loaded.
    pub model: Arc<Model>,
    /// How long this caller waited for it to load; none when it was there.
    pub load_wait: Option<Duration>,
}

type Load = Shared<BoxFuture<'static, Result<Arc<Model>, InferenceError>>>;

/// The cache. Cheap to clone.
#[derive(Clone)]
pub struct ModelCache {
    shared: Arc<Inner>,
}

struct Inner {
    loader: ModelLoader,
    settings: CacheSettings,
    observer: Arc<dyn CacheObserver>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    entries: HashMap<ModelId, Entry>,
    /// Rises with every use; the entry with the lowest is the least recently used.
    clock: u64,
}

struct Entry {
    load: Load,
    used: u64,
    /// Once it is loaded.
    bytes: Option<u64>,
}

impl ModelCache {
    /// An empty cache.
    #[must_use]
    pub fn new(loader: ModelLoader, settings: CacheSettings, observer: Arc<dyn CacheObserver>) -> Self {
        Self { shared: Arc::new(Inner { loader, settings, observer, state: Mutex::default() }) }
    }

    /// The model `id`, loaded now if it is not there. Everyone who asks meanwhile waits for the same load; a failed
    /// load is not remembered, so that the next caller tries again.
    ///
    /// # Errors
    /// As [`ModelLoader::load`].
    pub async fn get(&self, id: &ModelId) -> Result<Warm, InferenceError> {
        let begun = Instant::now();
        let (load, cold) = self.load_of(id);
        let result = load.clone().await;
        let load_wait = cold.then(|| begun.elapsed());
        match result {
            Ok(model) => {
                for evicted in self.settle(id, model.info().bytes) {
                    self.shared.observer.evicted(&evicted);
                }
                Ok(Warm { model, load_wait })
            }
            Err(error) => {
                self.forget_load(id, &load);
                Err(error)
            }
        }
    }

    /// Models that are loaded, in alphabetical order.
    #[must_use]
    pub fn warm(&self) -> Vec<ModelId> {
        let state = self.lock();
        let mut ids: Vec<ModelId> = state
            .entries
            .iter()
            .filter(|(_, entry)| entry.bytes.is_some())
            .map(|(id, _)| id.clone())
            .collect();
        ids.sort();
        ids
    }

    /// Size of the files of the models that are loaded, bytes.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.lock().bytes()
    }

    /// Drops a model that turned out to be broken; the next caller loads it anew.
    pub fn forget(&self, id: &ModelId) {
        let forgotten = self.lock().entries.remove(id);
        if forgotten.is_some_and(|entry| entry.bytes.is_some()) {
            self.shared.observer.evicted(id);
        }
    }

    /// The load of `id`, begun if need be, and whether it is still under way.
    fn load_of(&self, id: &ModelId) -> (Load, bool) {
        let mut state = self.lock();
        state.clock += 1;
        let used = state.clock;
        if let Some(entry) = state.entries.get_mut(id) {
            entry.used = used;
            return (entry.load.clone(), entry.bytes.is_none());
        }
        let load = self.begin(id);
        state.entries.insert(id.clone(), Entry { load: load.clone(), used, bytes: None });
        (load, true)
    }

    fn begin(&self, id: &ModelId) -> Load {
        let (loader, observer, id) =
            (self.shared.loader.clone(), Arc::clone(&self.shared.observer), id.clone());
        let load = async move {
            observer.loading(&id);
            let loaded = loader.load(&id).await;
            match &loaded {
                Ok(model) => observer.loaded(model.info()),
                Err(error) => observer.failed(&id, error),
            }
            loaded.map(Arc::new)
        };
        load.boxed().shared()
    }

    /// Counts a loaded model in, and forgets the least recently used ones that it leaves no room for. The dropped
    /// entries are handed out so that nothing is unloaded under the lock.
    fn settle(&self, id: &ModelId, bytes: u64) -> Vec<ModelId> {
        let mut state = self.lock();
        match state.entries.get_mut(id) {
            Some(entry) if entry.bytes.is_none() => entry.bytes = Some(bytes),
            _ => return Vec::new(),
        }
        let mut evicted = Vec::new();
        while state.loaded() > self.shared.settings.max_models.max(1)
            || state.bytes() > self.shared.settings.max_bytes
        {
            let others = state.entries.iter().filter(|(other, entry)| *other != id && entry.bytes.is_some());
            let Some(oldest) = others.min_by_key(|(_, entry)| entry.used).map(|(other, _)| other.clone())
            else {
                break;
            };
            if let Some(entry) = state.entries.remove(&oldest) {
                evicted.push((oldest, entry));
            }
        }
        drop(state);
        evicted.into_iter().map(|(id, _)| id).collect()
    }

    fn forget_load(&self, id: &ModelId, failed: &Load) {
        let mut state = self.lock();
        if state.entries.get(id).is_some_and(|entry| entry.load.ptr_eq(failed)) {
            state.entries.remove(id);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing under the lock can leave the entries half changed.
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn loaded(&self) -> usize {
        self.entries.values().filter(|entry| entry.bytes.is_some()).count()
    }

    fn bytes(&self) -> u64 {
        self.entries.values().filter_map(|entry| entry.bytes).sum()
    }
}
