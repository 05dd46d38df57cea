//! The models there are to load here: named with every sign of life, and described, by their files alone, to those who list
//! models. Rule: looking never stands in the way of a job, and a model that cannot be described is named all the same.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use millrace_bus::BusError;
use millrace_contracts::ModelId;
use millrace_contracts::model::ModelDescription;
use millrace_inference::Repository;
use tokio::sync::Notify;

use crate::cpu::{Caller, CpuPool};
use crate::role::Shared;

/// Models that are told to others at most.
const MOST_TOLD: usize = 256;
/// How soon a model that was added or removed is noticed.
const LOOK_EVERY: Duration = Duration::from_secs(15);
/// Descriptions nobody renewed for so long are forgotten.
const TIME_TO_LIVE: Duration = Duration::from_secs(60);

/// The models there are. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Inventory {
    repository: Repository,
    ids: Arc<Mutex<Arc<[ModelId]>>>,
}

impl Inventory {
    /// What is in `repository` now.
    pub(crate) async fn of(repository: Repository, cpu: &CpuPool) -> Self {
        let ids = Arc::new(Mutex::new(list(&repository, cpu).await));
        Self { repository, ids }
    }

    /// Their names, as many as are told.
    pub(crate) fn ids(&self) -> Arc<[ModelId]> {
        // A pointer: nothing can be left half changed.
        Arc::clone(&self.ids.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Keeps it, and what is said of it, as it is. Rings `changed` when a model was added or removed.
    pub(crate) async fn keep(self, shared: Arc<Shared>, changed: Arc<Notify>) -> Result<(), Infallible> {
        let mut told = BTreeMap::new();
        let mut ticks = tokio::time::interval(LOOK_EVERY);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let ids = list(&self.repository, &shared.cpu).await;
            if *ids != *self.ids() {
                *self.ids.lock().unwrap_or_else(PoisonError::into_inner) = ids;
                changed.notify_one();
            }
            if let Err(error) = self.describe(&shared, &mut told).await {
                tracing::debug!(%error, "the models could not be described");
            }
        }
    }

    /// Says what the models are that nobody was told of yet; all of them, after a loss. `told` is what was found out so far.
    async fn describe(
        &self,
        shared: &Shared,
        told: &mut BTreeMap<ModelId, Option<ModelDescription>>,
    ) -> Result<(), BusError> {
        let ids = self.ids();
        told.retain(|id, _| ids.contains(id));
        let mut news = Vec::new();
        for id in ids.iter().filter(|id| !told.contains_key(*id)).cloned().collect::<Vec<_>>() {
            let (repository, of) = (self.repository.clone(), id.clone());
            let described = shared.cpu.run(Caller::own(), move || repository.describe(&of)).await;
            let described = match described {
                Ok((Ok(described), _)) => Some(described),
                Ok((Err(error), _)) => {
                    tracing::debug!(model.id = %id, %error, "a model does not say what it is");
                    None
                }
                Err(panic) => {
                    tracing::error!(model.id = %id, error = panic.0, "describing a model panicked");
                    None
                }
            };
            news.extend(described.clone());
            told.insert(id, described);
        }
        if !shared.bus.renew_descriptions(TIME_TO_LIVE).await? {
            news = told.values().flatten().cloned().collect();
        }
        if news.is_empty() {
            return Ok(());
        }
        shared.bus.describe_models(&news, TIME_TO_LIVE).await
    }
}

async fn list(repository: &Repository, cpu: &CpuPool) -> Arc<[ModelId]> {
    let repository = repository.clone();
    let listed = cpu.run(Caller::own(), move || repository.list()).await;
    let mut ids = listed.map(|(ids, _)| ids).unwrap_or_default();
    ids.truncate(MOST_TOLD);
    ids.into()
}
