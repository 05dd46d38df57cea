//! The models that are in their place here because they are registered, and as what. Rule: what was looked up longer ago never takes
//! the place of what was looked up later, and what is not registered any more has none: a job that looks before it begins is given
//! what was registered then, or what took its place since.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use millrace_contracts::ModelId;
use millrace_contracts::model::RegisteredModel;
use millrace_inference::{Evicted, ModelCache, Repository};

/// They. What is loaded changes under the lock, together with what is in place.
#[derive(Debug)]
pub(crate) struct Registrations {
    repository: Repository,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    placed: HashMap<ModelId, Placed>,
    /// How often somebody began to look something up.
    turns: u64,
    /// What was looked up before this turn may have changed.
    changed: u64,
}

#[derive(Debug)]
struct Placed {
    model: RegisteredModel,
    turn: u64,
}

impl Registrations {
    /// None yet, in `repository`, whose clones see what is placed.
    pub(crate) fn new(repository: Repository) -> Self {
        Self { repository, known: Mutex::default() }
    }

    /// Begins to look something up.
    pub(crate) fn turn(&self) -> u64 {
        let mut known = self.lock();
        known.turns += 1;
        known.turns
    }

    /// Whether the model is in its place because it is registered.
    pub(crate) fn has(&self, id: &ModelId) -> bool {
        self.lock().placed.contains_key(id)
    }

    /// Whether it is in its place as just that.
    pub(crate) fn has_same(&self, model: &RegisteredModel) -> bool {
        self.lock().placed.get(&model.id).is_some_and(|placed| placed.model == *model)
    }

    /// All of them.
    pub(crate) fn ids(&self) -> Vec<ModelId> {
        self.lock().placed.keys().cloned().collect()
    }

    /// Notes that a model, found in this turn, is in `folder`, which is whole. False when something else may be registered by now:
    /// look again.
    pub(crate) fn place(
        &self,
        models: &ModelCache,
        (turn, model): (u64, RegisteredModel),
        folder: &Path,
    ) -> bool {
        let mut known = self.lock();
        let is_later = |placed: &Placed| placed.turn > turn;
        if turn <= known.changed || known.placed.get(&model.id).is_some_and(is_later) {
            return false;
        }
        models.place(&model.id, folder);
        known.placed.insert(model.id.clone(), Placed { model, turn });
        true
    }

    /// Notes that nothing was registered as `id` in this turn.
    pub(crate) fn gone(&self, models: &ModelCache, id: &ModelId, turn: u64) {
        let mut known = self.lock();
        if known.placed.get(id).is_some_and(|placed| placed.turn <= turn) {
            self.remove(&mut known, models, id);
        }
    }

    /// Notes that something changed: what is being looked up now is looked up again.
    pub(crate) fn doubt(&self) {
        let mut known = self.lock();
        known.changed = known.turns;
    }

    /// Gives up what is in place and loaded of a model.
    pub(crate) fn forget(&self, models: &ModelCache, id: &ModelId) {
        self.remove(&mut self.lock(), models, id);
    }

    fn remove(&self, known: &mut Known, models: &ModelCache, id: &ModelId) {
        if known.placed.remove(id).is_some() {
            self.repository.unplace(id);
        }
        models.forget(id, Evicted::Replaced);
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        // Nothing under the lock can leave it half changed.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
