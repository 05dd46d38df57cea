//! What is told of the models: of those in the repository what their files say, found out once, and of the loaded ones, wherever
//! they come from, what they turned out to be.

use std::collections::BTreeMap;
use std::time::Duration;

use millrace_bus::BusError;
use millrace_contracts::ModelId;
use millrace_contracts::model::ModelDescription;
use millrace_inference::InferenceError;

use super::Inventory;
use crate::cpu::Caller;
use crate::role::Shared;

/// What was found out so far; none of a model that does not say what it is.
pub(super) type Told = BTreeMap<ModelId, Option<ModelDescription>>;

/// The model's files are not on this machine's disk yet.
struct NotHere;

impl Inventory {
    /// Says what the models are that nobody was told of yet; all of them, after a loss. `told` is what was found out so far.
    pub(super) async fn describe(
        &self,
        shared: &Shared,
        told: &mut Told,
        time_to_live: Duration,
    ) -> Result<(), BusError> {
        let loaded = shared.models.descriptions();
        shared.bus.describe_copies(&loaded, time_to_live).await?;
        let ids = self.ids();
        told.retain(|id, _| ids.contains(id));
        let mut news = Vec::new();
        for id in ids.iter().filter(|id| !told.contains_key(*id)).cloned().collect::<Vec<_>>() {
            if let Ok(described) = self.described(shared, &id).await {
                news.extend(described.clone());
                told.insert(id, described);
            }
        }
        news.extend(note_copies(told, &loaded));
        if !shared.bus.renew_descriptions(time_to_live).await? {
            news = told.values().flatten().cloned().collect();
        }
        if news.is_empty() {
            return Ok(());
        }
        shared.bus.describe_models(&news, time_to_live).await
    }

    /// What the files of a model say, if anything.
    async fn described(&self, shared: &Shared, id: &ModelId) -> Result<Option<ModelDescription>, NotHere> {
        let (repository, of) = (self.repository.clone(), id.clone());
        match shared.cpu.run(Caller::own(), move || repository.describe(&of)).await {
            Ok((Ok(described), _)) => Ok(Some(described)),
            Ok((Err(InferenceError::ModelNotFound { .. }), _)) => Err(NotHere),
            Ok((Err(error), _)) => {
                tracing::debug!(model.id = %id, %error, "a model does not say what it is");
                Ok(None)
            }
            Err(panic) => {
                tracing::error!(model.id = %id, error = panic.0, "describing a model panicked");
                Ok(None)
            }
        }
    }
}

/// Notes which copies the loaded ones turned out to be: that stays true of their files once they are unloaded, until those change
/// and are described anew. Answers what is news.
fn note_copies(told: &mut Told, loaded: &[ModelDescription]) -> Vec<ModelDescription> {
    let mut news = Vec::new();
    for copy in loaded {
        if let Some(Some(described)) = told.get_mut(&copy.id)
            && described.digest != copy.digest
        {
            described.digest.clone_from(&copy.digest);
            news.push(described.clone());
        }
    }
    news
}

#[cfg(test)]
mod tests {
    use super::*;

    fn description(id: &str, digest: Option<&str>) -> ModelDescription {
        ModelDescription {
            id: id.into(),
            family: "raw".into(),
            task: "tensor".into(),
            labels: Vec::new(),
            embedding_dimension: None,
            input_size: None,
            file_bytes: Some(7),
            digest: digest.map(Into::into),
        }
    }

    #[test]
    fn which_copy_it_is_is_told_once_it_was_loaded_and_stays_told() {
        let mut told: Told = [("a".into(), Some(description("a", None))), ("odd".into(), None)].into();
        let loaded = ["a", "odd", "elsewhere"].map(|id| description(id, Some("12")));
        assert_eq!(note_copies(&mut told, &loaded), [description("a", Some("12"))]);
        assert_eq!(note_copies(&mut told, &loaded), [], "it was told");
        assert_eq!(note_copies(&mut told, &[]), []);
        assert_eq!(told[&ModelId::from("a")], Some(description("a", Some("12"))), "it was unloaded");
    }
}
