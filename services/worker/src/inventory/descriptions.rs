//! What is told of the models: of those in the repository what their files say, a portion at a time, unless another worker that is
//! there says it already; and of the loaded ones, wherever they come from, what they turned out to be.

use std::time::{Duration, Instant};

use millrace_bus::BusError;
use millrace_contracts::ModelId;
use millrace_contracts::model::ModelDescription;
use millrace_inference::InferenceError;

use super::Inventory;
use super::telling::Telling;
use crate::cpu::Caller;
use crate::role::Shared;

/// Models whose files are read before what was found out is told, and how long that goes on: what is loaded meanwhile is not kept
/// waiting for long.
const PORTION: usize = 64;
const MOST_TIME: Duration = Duration::from_secs(1);
/// Of a model beyond those that a sign of life names the classes are told as long as their names take no more, bytes: they may be
/// thousands of models.
const MOST_FURTHER_LABELS: usize = 8 << 10;

/// The model's files are not on this machine's disk yet.
struct NotHere;

impl Inventory {
    /// Finds out which models are to be told of.
    pub(super) async fn plan(
        &self,
        shared: &Shared,
        telling: &mut Telling,
        time_to_live: Duration,
    ) -> Result<(), BusError> {
        let loaded = shared.models.descriptions();
        shared.bus.describe_copies(&loaded, time_to_live).await?;
        let ids = self.described_ids();
        let gone = telling.list(ids.iter().cloned());
        telling.note_copies(&loaded);
        telling.wait(shared.bus.undescribed(&ids, time_to_live).await?);
        shared.bus.take_descriptions_back(&shared.worker, &gone).await
    }

    /// Says what the next models are.
    pub(super) async fn tell(
        &self,
        shared: &Shared,
        telling: &mut Telling,
        time_to_live: Duration,
    ) -> Result<(), BusError> {
        let (mut news, mut mute) = (Vec::new(), Vec::new());
        let begun = Instant::now();
        for _ in 0..PORTION {
            let Some(id) = telling.next() else { break };
            match self.described(shared, &id).await {
                Ok(Some(said)) => {
                    news.push(ModelDescription { digest: telling.digest(&id), ..self.shortened(said) });
                }
                Ok(None) => mute.push(id),
                Err(NotHere) => {}
            }
            if begun.elapsed() > MOST_TIME {
                break;
            }
        }
        if !news.is_empty() {
            shared.bus.describe_models(&shared.worker, &news, time_to_live).await?;
        }
        news.iter().for_each(|model| telling.told(&model.id));
        // What their files said before.
        shared.bus.take_descriptions_back(&shared.worker, &mute).await?;
        mute.into_iter().for_each(|id| telling.is_mute(id));
        Ok(())
    }

    /// Without the names of too many classes.
    fn shortened(&self, mut said: ModelDescription) -> ModelDescription {
        let is_named = self.ids().binary_search(&said.id).is_ok();
        if !is_named && said.labels.iter().map(String::len).sum::<usize>() > MOST_FURTHER_LABELS {
            said.labels.clear();
        }
        said
    }

    /// What the files of a model say, if anything.
    async fn described(&self, shared: &Shared, id: &ModelId) -> Result<Option<ModelDescription>, NotHere> {
        let (repository, of) = (self.repository.clone(), id.clone());
        match shared.cpu.run(Caller::patient(), move || repository.describe(&of)).await {
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
