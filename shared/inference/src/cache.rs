//! Loaded models under a hard memory budget: loaded once however many ask, measured, and forgotten by value when room is
//! needed. One thread, the keeper, loads and forgets, one model after the other, so that each can be measured and none
//! ever runs on a caller's thread; models that run go on meanwhile. A model in use is never taken away: who holds a
//! [`Model`] out of the cache holds a lease on it.

mod keeper;
mod lease;
mod meter;
mod pressure;
mod remembered;
mod report;
mod room;
mod settings;
mod state;
mod worth;

use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use millrace_contracts::model::ModelDescription;
use millrace_contracts::{ModelDigest, ModelId, Pool};
use tokio::sync::oneshot;

use crate::{InferenceError, Model, ModelInfo, ModelLoader, Prospect, Relief};
pub(crate) use lease::Lease;
pub use meter::{MemoryMeter, ProcessMeter};
pub use pressure::Pressure;
pub use report::{CacheReport, WarmModel};
pub use settings::CacheSettings;
use state::{Ahead, Entry, State, Waiter};

/// Hears what the cache does. Called outside its lock; must not block.
pub trait CacheObserver: Send + Sync {
    /// A load begins.
    fn loading(&self, id: &ModelId);
    /// A model is ready; `bytes` is the memory it takes.
    fn loaded(&self, info: &ModelInfo, bytes: u64);
    /// A model was forgotten.
    fn evicted(&self, id: &ModelId, why: Evicted);
    /// A load failed.
    fn failed(&self, id: &ModelId, error: &InferenceError);
    /// The pressure on the memory changed.
    fn pressure(&self, _: Pressure) {}
}

/// Why a model was forgotten.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Evicted {
    /// Another needed the room.
    Room,
    /// Nobody had used it for long.
    Idle,
    /// Memory was critically short.
    Emergency,
    /// It turned out to be broken.
    Broken,
    /// Another copy took its place.
    Replaced,
}

impl Evicted {
    /// The name in events and metrics.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Room => "room",
            Self::Idle => "idle",
            Self::Emergency => "emergency",
            Self::Broken => "broken",
            Self::Replaced => "replaced",
        }
    }
}

/// An observer that does nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Quiet;

impl CacheObserver for Quiet {
    fn loading(&self, _: &ModelId) {}
    fn loaded(&self, _: &ModelInfo, _: u64) {}
    fn evicted(&self, _: &ModelId, _: Evicted) {}
    fn failed(&self, _: &ModelId, _: &InferenceError) {}
}

/// A model out of the cache.
#[derive(Debug)]
pub struct Warm {
    /// The model. Holding it keeps it loaded.
    pub model: Arc<Model>,
    /// How long this caller waited for it; none when it was there.
    pub load_wait: Option<Duration>,
}

/// The cache. Cheap to clone; its keeper ends, and its models with it, when the last clone is dropped.
#[derive(Clone)]
pub struct ModelCache {
    shared: Arc<Inner>,
    _life: Arc<Life>,
}

pub(crate) struct Inner {
    loader: ModelLoader,
    settings: CacheSettings,
    observer: Arc<dyn CacheObserver>,
    state: Mutex<State>,
    /// Rung for everything the keeper may wait for: a load that is asked for, a lease that ends, the end.
    bell: Condvar,
}

/// Ends the keeper when it is dropped.
struct Life(Arc<Inner>);

impl Drop for Life {
    fn drop(&mut self) {
        self.0.lock().closed = true;
        self.0.bell.notify_all();
    }
}

impl ModelCache {
    /// An empty cache, with its keeper.
    ///
    /// # Errors
    /// [`InferenceError::Keeper`] when its thread cannot be started.
    pub fn new(
        loader: ModelLoader,
        settings: CacheSettings,
        observer: Arc<dyn CacheObserver>,
    ) -> Result<Self, InferenceError> {
        let state = Mutex::new(State::new(remembered::Remembered::read(settings.facts.clone())));
        let shared = Arc::new(Inner { loader, settings, observer, state, bell: Condvar::new() });
        keeper::start(Arc::clone(&shared))?;
        Ok(Self { _life: Arc::new(Life(Arc::clone(&shared))), shared })
    }

    /// The model `id`, loaded now if it is not there. Everyone who asks meanwhile waits for the same load; a failed
    /// load is not remembered, so that the next caller tries again. Dropping the future gives up waiting.
    ///
    /// # Errors
    /// Everything a load may fail with, [`InferenceError::NoRoom`] among it.
    pub async fn get(&self, id: &ModelId) -> Result<Warm, InferenceError> {
        self.get_for(id, None).await
    }

    /// As [`ModelCache::get`], for a job of `pool`: the pool then counts the model among its own.
    ///
    /// # Errors
    /// As [`ModelCache::get`].
    pub async fn get_for(&self, id: &ModelId, pool: Option<&Pool>) -> Result<Warm, InferenceError> {
        let begun = Instant::now();
        let answer = {
            let mut state = self.shared.lock();
            if let Some(model) = state.lease(&self.shared, id, pool) {
                return Ok(Warm { model: Arc::new(model), load_wait: None });
            }
            let (reply, answer) = oneshot::channel();
            state.wait_for(id, Waiter { reply, pool: pool.cloned() });
            answer
        };
        self.shared.bell.notify_all();
        let model = answer.await.unwrap_or_else(|_| Err(InferenceError::SessionLost { id: id.clone() }))?;
        Ok(Warm { model: Arc::new(model), load_wait: Some(begun.elapsed()) })
    }

    /// Begins to load `id` for those who will ask for it. Does nothing when it is there.
    pub fn prefetch(&self, id: &ModelId) {
        self.load_ahead(id, Ahead::Asked);
    }

    /// As [`ModelCache::prefetch`], for those who may ask for it: after all other loads, and only if there is room for it by then.
    /// Nobody leaves for a guess.
    pub fn prefetch_if_room(&self, id: &ModelId) {
        self.load_ahead(id, Ahead::Guessed);
    }

    fn load_ahead(&self, id: &ModelId, ahead: Ahead) {
        let is_new = self.shared.lock().load_ahead(id, ahead);
        if is_new {
            self.shared.bell.notify_all();
        }
    }

    /// What stands where.
    #[must_use]
    pub fn report(&self) -> CacheReport {
        CacheReport::of(&self.shared)
    }

    /// Whether `id` is loaded and stays, or is being loaded. One that still waits for room is neither.
    #[must_use]
    pub fn has(&self, id: &ModelId) -> bool {
        match self.shared.lock().entries.get(id) {
            Some(Entry::Ready(ready)) => ready.yields.is_none(),
            Some(Entry::Loading(loading)) => loading.reserved > 0,
            None => false,
        }
    }

    /// As [`ModelLoader::prospect`].
    #[must_use]
    pub fn prospect(&self, id: &ModelId) -> Prospect {
        self.shared.loader.prospect(id)
    }

    /// Whether `id`, with files of so many bytes for all its sessions, would find room without another model having to leave.
    /// Models without files do: they cost nothing.
    #[must_use]
    pub fn has_room_for(&self, id: &ModelId, file_bytes: Option<u64>) -> bool {
        let Some(file_bytes) = file_bytes else { return true };
        let state = self.shared.lock();
        let need = state.need_of(id, file_bytes, &self.shared.settings);
        state.fits(need, &self.shared.settings)
    }

    /// The copy of a model that the repository has now. Reads its files: not for the async runtime.
    ///
    /// # Errors
    /// As [`ModelLoader::digest`].
    pub fn digest_in_repository(&self, id: &ModelId) -> Result<ModelDigest, InferenceError> {
        self.shared.loader.digest(id)
    }

    /// Models that are loaded, in alphabetical order.
    #[must_use]
    pub fn warm(&self) -> Vec<ModelId> {
        let mut ids: Vec<ModelId> = self.shared.lock().ready().map(|(id, _)| id.clone()).collect();
        ids.sort();
        ids
    }

    /// What the loaded models are.
    #[must_use]
    pub fn descriptions(&self) -> Vec<ModelDescription> {
        self.shared.lock().ready().map(|(_, ready)| ready.core.info().description()).collect()
    }

    /// Memory that the loaded models take, bytes.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.shared.lock().bytes()
    }

    /// The pressure on the memory.
    #[must_use]
    pub fn pressure(&self) -> Pressure {
        self.shared.lock().pressure
    }

    /// Notes where the registered model `id` is on disk. Another copy of it that is loaded is dropped.
    pub fn place(&self, id: &ModelId, folder: &Path) {
        if self.shared.loader.repository().place(id, folder) {
            self.forget(id, Evicted::Replaced);
        }
    }

    /// Drops a model that turned out to be broken, or is not what it was; the next caller loads it anew. Who still holds it
    /// keeps it.
    pub fn forget(&self, id: &ModelId, why: Evicted) {
        let mut state = self.shared.lock();
        match state.entries.get_mut(id) {
            Some(Entry::Ready(_)) => self.drop_ready(state, id, why),
            // What is being loaded may be the copy that was there before.
            Some(Entry::Loading(loading)) => loading.stale |= why == Evicted::Replaced,
            None => {}
        }
    }

    /// Drops `model`, which turned out to be broken, as [`ModelCache::forget`] does: that copy of it. One that others loaded
    /// meanwhile stays.
    pub fn give_up_on(&self, model: &Model) {
        let (state, id) = (self.shared.lock(), &model.info().id);
        if matches!(state.entries.get(id), Some(Entry::Ready(ready)) if model.is_of(&ready.core)) {
            self.drop_ready(state, id, Evicted::Broken);
        }
    }

    fn drop_ready(&self, mut state: MutexGuard<'_, State>, id: &ModelId, why: Evicted) {
        let forgotten = state.remove(id, why);
        drop(state);
        self.shared.bell.notify_all();
        if let Some(ready) = forgotten {
            // Its threads end by themselves: nobody here waits for them.
            drop(ready);
            self.shared.observer.evicted(id, why);
        }
    }
}

impl Inner {
    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing under the lock can leave the entries half changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Gives a run that found no memory what idle models hold.
pub(crate) struct Emergency(pub(crate) std::sync::Weak<Inner>);

impl Relief for Emergency {
    fn relieve(&self, id: &ModelId) -> bool {
        self.0.upgrade().is_some_and(|cache| cache.make_way_for(id))
    }
}
