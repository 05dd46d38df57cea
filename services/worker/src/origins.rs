//! Where a job's model comes from, and that it is on this machine's disk before the job begins. `pretrained` models are in the
//! repository, a folder or a bucket, or else registered; `trained` ones are registered; those by `url` are an address, or registered under a
//! name.

use std::sync::Arc;
use std::time::{Duration, Instant};

use millrace_bus::Registered;
use millrace_contracts::job::ModelRef;
use millrace_contracts::model::RegisteredModel;
use millrace_contracts::{ErrorKind, JobError, ModelId};
use millrace_inference::{Evicted, is_url};
use moka::sync::Cache;

use crate::cpu::Caller;
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

/// Sees to it that a job's model is on the disk; whether it was brought there now. One in a folder is the folder's matter.
pub(crate) async fn provide(shared: &Shared, model: &ModelRef) -> Result<bool, JobError> {
    match model.source.as_str() {
        PRETRAINED => of_repository(shared, &model.id).await,
        URL if is_url(&model.id) => Ok(shared.downloads.by_url(&model.id).await?.now),
        _ => place(shared, &model.id, RESTORED_WITHIN).await,
    }
}

/// Loads what is to be there from the start, one after the other, wherever it comes from. What goes wrong is told; the first job
/// that wants the model tries again.
pub(crate) async fn preload(shared: &Shared, ids: &[String]) {
    for id in ids.iter().map(|id| ModelId::from(id.as_str())) {
        if let Err(error) = bring(shared, &id).await {
            tracing::warn!(model.id = %id, %error, "a model could not be brought here");
        }
        // Told by the cache's observer.
        drop(shared.models.get(&id).await);
    }
}

/// Sees to it that a model is on the disk of which nobody says where it comes from: an address, else the repository, else the
/// registry.
async fn bring(shared: &Shared, id: &ModelId) -> Result<(), JobError> {
    if is_url(id) {
        return shared.downloads.by_url(id).await.map(drop);
    }
    of_repository(shared, id).await?;
    let (models, of) = (shared.models.clone(), id.clone());
    let is_there = move || models.prospect(&of).file_bytes.is_some();
    match shared.cpu.run(Caller::own(), is_there).await {
        Ok((false, _)) => place(shared, id, RESTORED_WITHIN).await.map(drop),
        _ => Ok(()),
    }
}

/// Puts a model of a repository in an object store where the cache finds it. One that is not there may be registered: who
/// loads it finds out.
async fn of_repository(shared: &Shared, id: &ModelId) -> Result<bool, JobError> {
    let Some(brought) = shared.downloads.of_bucket(id).await? else { return Ok(false) };
    shared.models.place(id, &brought.folder);
    Ok(brought.now)
}

/// Puts a model that is not in the repository where the cache finds it, if it is registered.
pub(crate) async fn place_if_registered(shared: &Shared, id: &ModelId) -> Result<(), JobError> {
    place(shared, id, Duration::ZERO).await.map(drop)
}

async fn place(shared: &Shared, id: &ModelId, patience: Duration) -> Result<bool, JobError> {
    let model = match shared.registrations.0.get(id) {
        Some(model) => model,
        None => {
            let found = Arc::new(look_up(shared, id, patience).await?);
            shared.registrations.0.insert(id.clone(), Arc::clone(&found));
            found
        }
    };
    let brought = shared.downloads.registered(&model, &shared.blobs).await?;
    shared.models.place(id, &brought.folder);
    Ok(brought.now)
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
