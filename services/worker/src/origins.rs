//! Where a job's model comes from, and that it is on this machine's disk before the job begins. `pretrained` models are in the
//! repository, or else registered; `trained` ones are registered; those by `url` are an address, or registered under a
//! name.

use std::sync::Arc;
use std::time::{Duration, Instant};

use millrace_bus::Registered;
use millrace_contracts::job::ModelRef;
use millrace_contracts::model::RegisteredModel;
use millrace_contracts::{ErrorKind, JobError, ModelId};
use millrace_inference::{Evicted, is_url};
use moka::sync::Cache;

use crate::role::Shared;

const PRETRAINED: &str = "pretrained";
const URL: &str = "url";
/// How long a registration is believed; changes are told, this is for those that were missed.
const BELIEVED: Duration = Duration::from_secs(5);
/// Registrations remembered at most.
const MOST_REMEMBERED: u64 = 256;
/// How long the copy of the registry in Redis may take to be made again after a loss.
const RESTORED_WITHIN: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(250);

/// Registrations looked up lately. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Registrations(Cache<ModelId, Arc<RegisteredModel>>);

impl Default for Registrations {
    fn default() -> Self {
        Self(Cache::builder().max_capacity(MOST_REMEMBERED).time_to_live(BELIEVED).build())
    }
}

/// Sees to it that a job's model is on the disk. One in the repository is the repository's matter.
pub(crate) async fn provide(shared: &Shared, model: &ModelRef) -> Result<(), JobError> {
    match model.source.as_str() {
        PRETRAINED => Ok(()),
        URL if is_url(&model.id) => shared.downloads.by_url(&model.id).await,
        _ => place(shared, &model.id, RESTORED_WITHIN).await,
    }
}

/// Whether time spent on providing it is time spent on loading a model.
pub(crate) fn concern(model: &ModelRef) -> bool {
    model.source != PRETRAINED
}

/// Puts a model that is not in the repository where the cache finds it, if it is registered.
pub(crate) async fn place_if_registered(shared: &Shared, id: &ModelId) -> Result<(), JobError> {
    place(shared, id, Duration::ZERO).await
}

async fn place(shared: &Shared, id: &ModelId, patience: Duration) -> Result<(), JobError> {
    let model = match shared.registrations.0.get(id) {
        Some(model) => model,
        None => {
            let found = Arc::new(look_up(shared, id, patience).await?);
            shared.registrations.0.insert(id.clone(), Arc::clone(&found));
            found
        }
    };
    let folder = shared.downloads.registered(&model, &shared.blobs).await?;
    shared.models.place(id, &folder);
    Ok(())
}

/// Gives up what is known and loaded of a registered model that changed or is gone.
pub(crate) fn forget(shared: &Shared, id: &ModelId) {
    shared.registrations.0.invalidate(id);
    shared.models.forget(id, Evicted::Replaced);
}

/// What is registered as `id`. While Redis has lost its copy of the registry it is asked again, for as long as `patience`.
async fn look_up(shared: &Shared, id: &ModelId, patience: Duration) -> Result<RegisteredModel, JobError> {
    let failed =
        |kind, why: &str| Err(JobError::new(kind, format!("the model {id} could not be looked up: {why}")));
    let deadline = Instant::now() + patience;
    loop {
        match shared.bus.registered_model(id).await {
            Ok(Registered::Known(model)) => return Ok(*model),
            Ok(Registered::Unknown) => return Err(unknown(id)),
            Ok(Registered::Lost) if Instant::now() >= deadline => {
                return failed(ErrorKind::Network, "the registry is not in Redis at the moment");
            }
            Ok(Registered::Lost) => tokio::time::sleep(PAUSE).await,
            Err(error) if error.is_retryable() => return failed(ErrorKind::Network, &error.to_string()),
            Err(error) => return failed(ErrorKind::Internal, &error.to_string()),
        }
    }
}

fn unknown(id: &ModelId) -> JobError {
    let message =
        format!("no model is registered as {id}; POST /api/v1/models registers one, GET lists them");
    JobError::new(ErrorKind::ModelNotFound, message).at("/config/model_id")
}
