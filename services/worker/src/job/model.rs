//! The model of a job: the run's own copy where the run has one already, whatever happened to the repository meanwhile.

use std::sync::Arc;

use millrace_contracts::{ErrorKind, JobError, ModelDigest, ModelId};
use millrace_inference::{Evicted, InferenceError, Model, Warm, is_url};

use super::{JobContext, Stage};
use crate::error::of_inference;
use crate::origins;

impl JobContext {
    /// The model `id`, loaded, in the copy that the run works with. Every block with a model gets it here: this is where
    /// the report learns which copy was used.
    pub(crate) async fn model(&self, id: &ModelId) -> Result<Arc<Model>, JobError> {
        let mut model = self.loaded(id).await?;
        if let Some(wanted) = self.pinned().filter(|wanted| **wanted != model.info().digest) {
            // Given back first: there may be no room for two copies.
            drop(model);
            model = self.reloaded(id, wanted).await?;
        }
        self.clock.model_digest(&model.info().digest);
        Ok(model)
    }

    fn pinned(&self) -> Option<&ModelDigest> {
        self.job.model.as_ref()?.digest.as_ref()
    }

    async fn loaded(&self, id: &ModelId) -> Result<Arc<Model>, JobError> {
        let Warm { model, load_wait } = match self.warm(id).await {
            // What is not in the repository may be registered, whatever the workflow says of its source.
            Err(error @ InferenceError::ModelNotFound { .. }) => {
                self.clock
                    .time(Stage::ModelLoad, origins::place_if_registered(&self.shared, id))
                    .await
                    .map_err(|_| of_inference(&error))?;
                self.warm(id).await
            }
            warm => warm,
        }
        .map_err(|error| of_inference(&error))?;
        if let Some(wait) = load_wait {
            self.clock.add(Stage::ModelLoad, wait);
        }
        Ok(model)
    }

    async fn warm(&self, id: &ModelId) -> Result<Warm, InferenceError> {
        self.shared.models.get_for(id, Some(&self.job.pool)).await
    }

    /// The copy in memory is not the run's. It is given up only when the repository has the run's: a run that began
    /// before a change must not make the others load their model again and again.
    async fn reloaded(&self, id: &ModelId, wanted: &ModelDigest) -> Result<Arc<Model>, JobError> {
        if self.digest_here(id).await? != *wanted {
            // Its host may have the run's by now: another worker asked it later than this one.
            if is_url(id) {
                self.clock.time(Stage::ModelLoad, origins::ask_again(&self.shared, id)).await?;
            }
            if !is_url(id) || self.digest_here(id).await? != *wanted {
                return Err(changed(id, wanted));
            }
        }
        self.shared.models.forget(id, Evicted::Replaced);
        let model = self.loaded(id).await?;
        if model.info().digest != *wanted {
            return Err(changed(id, wanted));
        }
        Ok(model)
    }

    /// Which copy is on the disk.
    async fn digest_here(&self, id: &ModelId) -> Result<ModelDigest, JobError> {
        let (models, of) = (self.shared.models.clone(), id.clone());
        let there = self.cpu(Stage::ModelLoad, move || models.digest_in_repository(&of)).await?;
        there.map_err(|error| of_inference(&error))
    }
}

fn changed(id: &ModelId, wanted: &ModelDigest) -> JobError {
    let message = format!(
        "the model {id} changed during the run: the run began with the copy {}…, which is not in the repository any more; \
         run it again",
        wanted.as_str().chars().take(12).collect::<String>()
    );
    JobError::new(ErrorKind::ModelNotFound, message).at("/config/model_id")
}
