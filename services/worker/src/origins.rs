//! Where a job's model comes from, and that it is on this machine's disk before the job begins. `pretrained` models are in the
//! repository, a folder or a bucket, or else registered; `trained` ones are registered; those by `url` are an address, or
//! registered under a name.

use std::time::{Duration, Instant};

use millrace_bus::{BusError, Registered};
use millrace_contracts::job::ModelRef;
use millrace_contracts::model::{ModelWish, RegisteredModel};
use millrace_contracts::{ErrorKind, JobError, ModelId};
use millrace_inference::{is_url, validate_model_id};

use crate::cpu::Caller;
use crate::downloads::Trust;
use crate::error::of_inference;
use crate::role::Shared;

const PRETRAINED: &str = "pretrained";
const URL: &str = "url";
/// How long the copy of the registry in Redis may take to be made again after a loss.
const RESTORED_WITHIN: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(250);

/// Sees to it that a job's model is on the disk; whether it was brought there now. One that nobody knows is for who loads it to
/// tell.
pub(crate) async fn provide(shared: &Shared, model: &ModelRef) -> Result<bool, JobError> {
    match model.source.as_str() {
        PRETRAINED => match of_repository(shared, &model.id).await? {
            Some(now) => Ok(now),
            None => Ok(place(shared, &model.id, RESTORED_WITHIN).await?.unwrap_or(false)),
        },
        URL if is_url(&model.id) => at_address(shared, &model.id).await,
        _ => place(shared, &model.id, RESTORED_WITHIN).await?.ok_or_else(|| unknown(&model.id)),
    }
}

/// The same for a model that no job waits for: one that nobody knows is an error.
pub(crate) async fn provide_ahead(shared: &Shared, model: &ModelRef) -> Result<(), JobError> {
    match model.source.as_str() {
        PRETRAINED => bring(shared, &model.id).await,
        _ => provide(shared, model).await.map(drop),
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
        return at_address(shared, id).await.map(drop);
    }
    match of_repository(shared, id).await? {
        Some(_) => Ok(()),
        None => place(shared, id, RESTORED_WITHIN).await?.map(drop).ok_or_else(|| unknown(id)),
    }
}

/// Sees to it that the model at an address is on the disk, as its host has it now if it is to be loaded; whether it was brought
/// there now.
async fn at_address(shared: &Shared, id: &ModelId) -> Result<bool, JobError> {
    let trust = if shared.models.has(id) { Trust::Full } else { Trust::Usual };
    let brought = shared.downloads.by_url(id, trust).await?;
    shared.downloads.put_in_place(&shared.models, id)?;
    Ok(brought.now)
}

/// Asks the host of the model at an address what it has now, since a job's run was given something else. The other workers are
/// told to ask as well: one that has had the model loaded all the time is behind.
pub(crate) async fn ask_again(shared: &Shared, id: &ModelId) -> Result<(), JobError> {
    let asks = shared.downloads.asks(id, Trust::Little);
    catch_up_with_host(shared, id).await?;
    if asks && let Err(error) = shared.bus.wish(&ModelWish::Forget { id: id.clone() }).await {
        tracing::debug!(%error, "other workers were not told that a model may have changed at its address");
    }
    Ok(())
}

/// Asks the host of the model at an address what it has now; what is loaded is given up for another.
async fn catch_up_with_host(shared: &Shared, id: &ModelId) -> Result<(), JobError> {
    shared.downloads.by_url(id, Trust::Little).await?;
    shared.downloads.put_in_place(&shared.models, id)
}

/// Asks the host of the model at an address, which may have changed there, if it is loaded here.
pub(crate) async fn doubt(shared: &Shared, id: &ModelId) {
    if shared.models.has(id)
        && let Err(error) = catch_up_with_host(shared, id).await
    {
        tracing::debug!(model.id = %id, %error, "a model that may have changed is used as it is");
    }
}

/// Sees to it that a model of the repository is on the disk; whether it was brought there now. None when it is not of the
/// repository, as far as is known: it may be registered, and registered as something else by now.
async fn of_repository(shared: &Shared, id: &ModelId) -> Result<Option<bool>, JobError> {
    if let Some(brought) = shared.downloads.of_bucket(id).await? {
        shared.models.place(id, &brought.folder);
        return Ok(Some(brought.now));
    }
    if shared.registrations.has(id) {
        return Ok(None);
    }
    if shared.models.has(id) {
        return Ok(Some(false));
    }
    let (models, of) = (shared.models.clone(), id.clone());
    let is_there = move || models.prospect(&of).file_bytes.is_some();
    let found = shared.cpu.run(Caller::own(), is_there).await;
    Ok(found.is_ok_and(|(is_there, _)| is_there).then_some(false))
}

/// Puts a model that is not in the repository where the cache finds it, if it is registered.
pub(crate) async fn place_if_registered(shared: &Shared, id: &ModelId) -> Result<(), JobError> {
    place(shared, id, Duration::ZERO).await?.map(drop).ok_or_else(|| unknown(id))
}

/// Puts a model where the cache finds it, as it is registered now; whether it was brought here for that, and none where it is not
/// registered.
async fn place(shared: &Shared, id: &ModelId, patience: Duration) -> Result<Option<bool>, JobError> {
    validate_model_id(id).map_err(|error| of_inference(&error))?;
    let mut now = false;
    loop {
        let turn = shared.registrations.turn();
        let Some(model) = look_up(shared, id, patience).await? else {
            shared.registrations.gone(&shared.models, id, turn);
            return Ok(None);
        };
        let brought = shared.downloads.registered(&model, &shared.blobs).await?;
        now |= brought.now;
        // Not so while changes come in: it may be something else by now, or nothing.
        if shared.registrations.place(&shared.models, (turn, model), &brought.folder) {
            return Ok(Some(now));
        }
    }
}

/// Gives up what is in place and loaded of a model that changed or is gone, unless it is in place as what it is now.
pub(crate) async fn forget(shared: &Shared, id: &ModelId) {
    shared.registrations.doubt();
    shared.model_events.is_another(id);
    if shared.registrations.has(id)
        && let Ok(Registered::Known(model)) = shared.bus.registered_model(id).await
        && shared.registrations.has_same(&model)
    {
        return;
    }
    shared.registrations.forget(&shared.models, id);
}

/// Gives up what changed or is gone while this worker could not be told.
pub(crate) async fn catch_up(shared: &Shared) -> Result<(), BusError> {
    shared.registrations.doubt();
    for id in shared.registrations.ids() {
        match shared.bus.registered_model(&id).await? {
            Registered::Known(model) if shared.registrations.has_same(&model) => {}
            // Whoever makes the copy anew changes nothing by that.
            Registered::Lost => {}
            _ => {
                shared.model_events.is_another(&id);
                shared.registrations.forget(&shared.models, &id);
            }
        }
    }
    Ok(())
}

/// What is registered as `id`; none if nothing is. While Redis is away, or has lost its copy of the registry, it is asked again,
/// for as long as `patience`.
async fn look_up(
    shared: &Shared,
    id: &ModelId,
    patience: Duration,
) -> Result<Option<RegisteredModel>, JobError> {
    let failed =
        |kind, why: &str| Err(JobError::new(kind, format!("the model {id} could not be looked up: {why}")));
    let deadline = Instant::now() + patience;
    loop {
        let is_late = Instant::now() >= deadline;
        match shared.bus.registered_model(id).await {
            Ok(Registered::Known(model)) => return Ok(Some(*model)),
            Ok(Registered::Unknown) => return Ok(None),
            Ok(Registered::Lost) if is_late => {
                return failed(ErrorKind::Network, "the registry is not in Redis at the moment");
            }
            Err(error) if error.is_retryable() && is_late => {
                return failed(ErrorKind::Network, &error.to_string());
            }
            Err(error) if !error.is_retryable() => return failed(ErrorKind::Internal, &error.to_string()),
            Ok(Registered::Lost) | Err(_) => tokio::time::sleep(PAUSE).await,
        }
    }
}

fn unknown(id: &ModelId) -> JobError {
    let message =
        format!("no model is registered as {id}; POST /api/v1/models registers one, GET lists them");
    JobError::new(ErrorKind::ModelNotFound, message).at("/config/model_id")
}
