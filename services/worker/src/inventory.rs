//! The models there are to load here: named with every sign of life, and described, by their files alone, to those who list
//! models. A model whose files changed is described again, and its copy in memory given up. Rule: looking never stands in the way of
//! a job, and a model that cannot be described is named all the same.

mod descriptions;
mod stamps;
mod telling;

use std::collections::BTreeSet;
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
use self::telling::Telling;
use crate::cpu::{Caller, CpuPool, Panicked};
use crate::downloads::bucket::Bucket;
use crate::role::Shared;

/// Models that are named with every sign of life, at most.
const MOST_TOLD: usize = 256;
/// Further ones that are described and whose names can be asked for, at most. What is beyond those still runs, and is heard of once it
/// is loaded.
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
    /// Those that are there and not told. Of those beyond what is named the loaded ones are looked at.
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
            // Before anything is loaded; the others after that: what begins does not wait for thousands.
            inventory.changed(cpu, inventory.ids().to_vec(), Vec::new()).await;
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
        let (loaded, mut telling) = (shared.model_events.loaded_models(), Telling::default());
        let mut ticks = tokio::time::interval(look_every);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            let looks = tokio::select! {
                // What is loaded is described before more is read, and looking again keeps alive what was said.
                biased;
                () = loaded.notified() => {
                    let copies = shared.models.descriptions();
                    let_know(shared.bus.describe_copies(&copies, time_to_live).await);
                    continue;
                }
                _ = ticks.tick() => true,
                () = std::future::ready(()), if telling.is_waiting() => false,
            };
            if looks && self.look_again(&shared, &mut telling, time_to_live).await {
                changed.notify_one();
            }
            let told = async {
                if looks {
                    self.plan(&shared, &mut telling, time_to_live).await?;
                }
                self.tell(&shared, &mut telling, time_to_live).await
            };
            let told = told.await;
            if told.is_err() {
                telling.give_up();
            }
            let_know(told);
        }
    }

    /// Looks what there is, and what became of it; whether a model was added or removed.
    async fn look_again(&self, shared: &Shared, telling: &mut Telling, time_to_live: Duration) -> bool {
        let mut is_news = self.look(&shared.cpu).await;
        match self.name_further(&shared.bus, time_to_live).await {
            Ok(others) => is_news |= others,
            Err(error) => tracing::debug!(%error, "the names of further models could not be told"),
        }
        let warm = shared.models.warm();
        for id in self.changed(&shared.cpu, self.watched_ids(&warm), warm).await {
            telling.change(&id);
            if !replace(shared, &id).await {
                self.stamps().again(&id);
            }
        }
        is_news
    }

    /// The models that are described.
    fn described_ids(&self) -> Vec<ModelId> {
        let untold = self.untold.lock().unwrap_or_else(PoisonError::into_inner);
        self.ids().iter().chain(untold.iter().take(MOST_NAMED)).cloned().collect()
    }

    /// The models whose files are looked at.
    fn watched_ids(&self, warm: &[ModelId]) -> Vec<ModelId> {
        let mut ids = self.described_ids();
        let untold = self.untold.lock().unwrap_or_else(PoisonError::into_inner);
        ids.extend(untold.iter().skip(MOST_NAMED).filter(|id| warm.contains(id)).cloned());
        ids
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

    /// Those of `ids` whose files are others since the last look, or since they were loaded.
    async fn changed(&self, cpu: &CpuPool, ids: Vec<ModelId>, warm: Vec<ModelId>) -> Vec<ModelId> {
        let mut found = Vec::with_capacity(ids.len());
        // A thread is not held for longer than so many take: jobs have their turn in between.
        for some in ids.chunks(MOST_TOLD) {
            let (repository, some) = (self.repository.clone(), some.to_vec());
            let stamp = move |id: ModelId| repository.stamp(&id).map(|stamp| (id, stamp));
            let stamps = move || some.into_iter().filter_map(stamp).collect::<Vec<_>>();
            match cpu.run(Caller::own(), stamps).await {
                Ok((stamps, _)) => found.extend(stamps),
                Err(panic) => {
                    tracing::error!(error = panic.0, "looking at the files of the models panicked");
                    return Vec::new();
                }
            }
        }
        self.stamps().note(found, |id| warm.contains(id))
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
