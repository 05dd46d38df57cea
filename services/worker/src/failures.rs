//! The models that could not be brought here or loaded, and why: said with every sign of life, so that who asks for a model hears
//! of it. The latest few, one entry a model; one that is loaded, or is something else by now, is taken out.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use millrace_contracts::model::LoadFailure;
use millrace_contracts::{JobError, ModelId, UnixMillis};

/// Remembered at most.
const MOST: usize = 32;
/// Characters of a message that are told.
const MOST_TOLD: usize = 400;

/// They. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct Failures(Arc<Mutex<VecDeque<LoadFailure>>>);

impl Failures {
    /// Notes why `id` could not be loaded.
    pub(crate) fn note(&self, id: &ModelId, error: &JobError) {
        let message = error.message.chars().take(MOST_TOLD).collect();
        let failure = LoadFailure { model_id: id.clone(), kind: error.kind, message, at: UnixMillis::now() };
        let mut known = self.lock();
        known.retain(|known| known.model_id != *id);
        known.truncate(MOST - 1);
        known.push_front(failure);
    }

    /// Forgets what was said of `id`, if anything was.
    pub(crate) fn forget(&self, id: &ModelId) -> bool {
        let mut known = self.lock();
        let before = known.len();
        known.retain(|known| known.model_id != *id);
        known.len() < before
    }

    /// The latest first.
    pub(crate) fn told(&self) -> Vec<LoadFailure> {
        self.lock().iter().cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<LoadFailure>> {
        // A list of whole entries: nothing can be left half changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use millrace_contracts::ErrorKind;

    use super::*;

    #[test]
    fn the_latest_few_are_remembered_one_for_each_model() {
        let failures = Failures::default();
        let error = |message: &str| JobError::new(ErrorKind::ModelLoadError, message);
        for number in 0..40 {
            failures.note(&format!("m{number}").as_str().into(), &error("first"));
        }
        failures.note(&"m20".into(), &error(&"x".repeat(1_000)));
        let told = failures.told();
        assert_eq!((told.len(), told[0].model_id.as_str(), told[1].model_id.as_str()), (MOST, "m20", "m39"));
        assert_eq!(told[0].message.len(), MOST_TOLD);
        assert!(failures.forget(&"m20".into()) && !failures.forget(&"m20".into()));
        assert!(failures.told().iter().all(|failure| failure.model_id.as_str() != "m20"));
    }
}
