//! The models there are to load here: named with every sign of life, and described, by their files alone, to those who list
//! models. A model whose files changed is described again, and its copy in memory given up. Rule: looking never stands in the way of
//! a job, and a model that cannot be described is named all the same.

mod descriptions;
mod stamps;

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use millrace_bus::{Bus, BusError};
use millrace_contracts::model::ModelWish;
use millrace_contracts::{ModelDigest, ModelId};
use millrace_inference::{Evicted, Repository, Stamp};
use millrace_objects::ObjectsError;
use serde::Serialize;
use tokio::sync::Notify;

use self::stamps::Stamps;
use crate::cpu::{Caller, CpuPool, Panicked};
use crate::downloads::bucket::Bucket;
use crate::role::Shared;

/// Models that are named with every sign of life, and described, at most.
const MOST_TOLD: usize = 256;
/// Further ones whose names can be asked for, at most. What is beyond those still runs, and is heard of once it is loaded.
const MOST_NAMED: usize = 10_000;
/// Descriptions nobody renewed for so many looks are forgotten.
const LOOKS_TO_LIVE: u32 = 4;
const LEAST_TO_LIVE: Duration = Duration::from_secs(10);

/// The models there are. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Inventory {
    repository: Repository,
    /// Where the models come from, if that is an object store.
    bucket: Option<Bucket>,
    ids: Arc<Mutex<Arc<[ModelId]>>>,
    /// Those that are there and not told. They are looked at while they are loaded.
    untold: Arc<Mutex<BTreeSet<ModelId>>>,
    /// Where the names of those can be asked for; none where there are none, and before they stand there.
    further: Arc<Mutex<Option<Further>>>,
    /// How their files stood.
    stamps: Arc<Mutex<Stamps<Stamp>>>,
}

/// The models that are not named with every sign of life.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Further {
    /// How many there are.
    models: usize,
    /// The digest that their names stand under.
    names: String,
}

impl Inventory {
    /// What is in a folder now. A bucket is not waited for: it may be far away.
    pub(crate) async fn of(repository: Repository, bucket: Option<Bucket>, cpu: &CpuPool) -> Self {
        let ids = Arc::new(Mutex::new([].into()));
        let (untold, further, stamps) = (Arc::default(), Arc::default(), Arc::default());
        let inventory = Self { repository, bucket, ids, untold, further, stamps };
        if inventory.bucket.is_none() {
            inventory.look(cpu).await;
            // Before anything is loaded.
            inventory.changed(cpu, Vec::new()).await;
        }
        inventory
    }

    /// Their names, as many as are told.
    pub(crate) fn ids(&self) -> Arc<[ModelId]> {
        // A pointer: nothing can be left half changed.
        Arc::clone(&self.ids.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Those beyond.
    pub(crate) fn further(&self) -> Option<Further> {
        self.lock_further().clone()
    }

    fn lock_further(&self) -> MutexGuard<'_, Option<Further>> {
        // Replaced whole: nothing can be left half changed.
        self.further.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps it, and what is said of it, as it is. Rings `changed` when a model was added or removed.
    pub(crate) async fn keep(
        self,
        shared: Arc<Shared>,
        look_every: Duration,
        changed: Arc<Notify>,
    ) -> Result<(), Infallible> {
        let time_to_live = (look_every * LOOKS_TO_LIVE).max(LEAST_TO_LIVE);
        let (loaded, mut told) = (shared.model_events.loaded_models(), BTreeMap::new());
        let mut ticks = tokio::time::interval(look_every);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = ticks.tick() => {}
                () = loaded.notified() => {
                    let described = shared.bus.describe_copies(&shared.models.descriptions(), time_to_live).await;
                    let_know(described);
                    continue;
                }
            }
            let mut is_news = self.look(&shared.cpu).await;
            match self.name_further(&shared.bus, time_to_live).await {
                Ok(others) => is_news |= others,
                Err(error) => tracing::debug!(%error, "the names of further models could not be told"),
            }
            if is_news {
                changed.notify_one();
            }
            for id in self.changed(&shared.cpu, shared.models.warm()).await {
                told.remove(&id);
                if !replace(&shared, &id).await {
                    self.stamps().again(&id);
                }
            }
            let_know(self.describe(&shared, &mut told, time_to_live).await);
        }
    }

    /// Looks what there is; whether that is something else than before. What cannot be looked at stays as it was known.
    async fn look(&self, cpu: &CpuPool) -> bool {
        let Some(mut found) = self.found(cpu).await else { return false };
        let untold = found.split_off(MOST_TOLD.min(found.len()));
        *self.untold.lock().unwrap_or_else(PoisonError::into_inner) = untold.into_iter().collect();
        let mut ids = self.ids.lock().unwrap_or_else(PoisonError::into_inner);
        let is_new = *found != **ids;
        *ids = found.into();
        is_new
    }

    /// Sees to it that the names of those that are not told can be asked for; whether they are others than before.
    async fn name_further(&self, bus: &Bus, time_to_live: Duration) -> Result<bool, BusError> {
        let untold = self.untold.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let models = untold.len();
        let named: BTreeSet<ModelId> = untold.into_iter().take(MOST_NAMED).collect();
        let further = match models {
            0 => None,
            _ => Some(Further { models, names: bus.keep_model_names(&named, time_to_live).await? }),
        };
        let mut before = self.lock_further();
        let is_new = *before != further;
        *before = further;
        Ok(is_new)
    }

    /// The models there are; none when they cannot be looked at.
    async fn found(&self, cpu: &CpuPool) -> Option<Vec<ModelId>> {
        if let Some(bucket) = &self.bucket {
            let found = bucket.look().await;
            let told = |error: &ObjectsError| tracing::warn!(%error, "the model repository could not be looked through");
            return found.inspect_err(told).ok();
        }
        let repository = self.repository.clone();
        let found = cpu.run(Caller::own(), move || repository.list()).await;
        let told = |panic: &Panicked| tracing::error!(error = panic.0, "looking through the models panicked");
        found.inspect_err(told).ok().map(|(found, _)| found)
    }

    /// The models whose files are others since the last look, or since they were loaded.
    async fn changed(&self, cpu: &CpuPool, warm: Vec<ModelId>) -> Vec<ModelId> {
        let mut ids = self.ids().to_vec();
        {
            let untold = self.untold.lock().unwrap_or_else(PoisonError::into_inner);
            ids.extend(warm.iter().filter(|id| untold.contains(*id)).cloned());
        }
        let repository = self.repository.clone();
        let stamp = move |id: ModelId| repository.stamp(&id).map(|stamp| (id, stamp));
        match cpu.run(Caller::own(), move || ids.into_iter().filter_map(stamp).collect()).await {
            Ok((found, _)) => self.stamps().note(found, |id| warm.contains(id)),
            Err(panic) => {
                tracing::error!(error = panic.0, "looking at the files of the models panicked");
                Vec::new()
            }
        }
    }

    fn stamps(&self) -> MutexGuard<'_, Stamps<Stamp>> {
        // Noted one model after the other: nothing can be left half changed.
        self.stamps.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn let_know(described: Result<(), BusError>) {
    if let Err(error) = described {
        tracing::debug!(%error, "the models could not be described");
    }
}

/// Gives up the copy of a model that is loaded, unless that is what its files hold: here, and at the other workers, which are
/// told, so that a run does not meet both copies for longer than it takes to say so. Whether that is settled: files that could not be
/// read say nothing.
async fn replace(shared: &Shared, id: &ModelId) -> bool {
    let warm = shared.models.report().warm.into_iter().find(|warm| warm.model_id == *id);
    let Some(there) = digest_of_files(shared, id).await else { return false };
    if let Some(warm) = warm {
        if warm.digest == there {
            return true;
        }
        tracing::info!(model.id = %id, model.digest = %there, "a model's files have changed: it is loaded anew");
        if let Err(error) = shared.bus.wish(&ModelWish::Forget { id: id.clone() }).await {
            tracing::warn!(model.id = %id, %error, "the other workers find out by themselves that a model has changed");
        }
    }
    // One that is being loaded may be of the files that were there before.
    shared.models.forget(id, Evicted::Replaced);
    true
}

/// Which copy of a model its files hold; none where they cannot be read, which is told.
async fn digest_of_files(shared: &Shared, id: &ModelId) -> Option<ModelDigest> {
    let (models, of) = (shared.models.clone(), id.clone());
    match shared.cpu.run(Caller::own(), move || models.digest_in_repository(&of)).await {
        Ok((Ok(digest), _)) => return Some(digest),
        Ok((Err(error), _)) => {
            tracing::warn!(model.id = %id, %error, "a model's files have changed and cannot be read");
        }
        Err(panic) => tracing::error!(model.id = %id, error = panic.0, "reading a model's files panicked"),
    }
    None
}
