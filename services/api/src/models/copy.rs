//! The copy of the registry in Redis, from which workers learn where a registered model is. Postgres has the say: a change
//! is committed there first, and a copy that was lost, or whose writer died half-way, is made anew from it.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use millrace_contracts::ModelId;
use millrace_contracts::model::{ModelWish, RegisteredModel};
use millrace_store::{ModelRecord, StoreError};

use super::registered;
use crate::patience::patiently;
use crate::problem::Problem;
use crate::state::App;

/// Between looks at the copy.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Looks at a registry that changes all the time, until the next try.
const MOST_LOOKS: usize = 5;
/// Models read from Postgres at once.
const PAGE: u32 = 500;

/// Commits a model, and tells the workers; what is recorded of it now.
pub(crate) async fn note(app: &App, record: &ModelRecord) -> Result<ModelRecord, Problem> {
    let draft = patiently(app.bus.draft_models()).await?;
    app.store.models().put(record, app.settings.max_models).await?;
    // With the time of the registration, by which workers tell it from the one before.
    let record = app.store.models().get(&record.id).await?;
    let model: Vec<RegisteredModel> = registered(&record).into_iter().collect();
    patiently(app.bus.put_models(&model, false)).await?;
    if draft.was_whole {
        // Where it is not: somebody else changes it too, or it was lost. It is made anew within moments.
        patiently(app.bus.models_are_whole(&draft)).await?;
    }
    patiently(app.bus.wish(&ModelWish::Forget { id: record.id.clone() })).await?;
    Ok(record)
}

/// Takes a model out, and tells the workers.
pub(crate) async fn take_out(app: &App, id: &ModelId) -> Result<(), Problem> {
    app.store.models().delete(id).await?;
    patiently(app.bus.remove_model(id)).await?;
    patiently(app.bus.wish(&ModelWish::Forget { id: id.clone() })).await
}

/// Makes the copy anew whenever it is not whole, for as long as it is polled.
pub(crate) async fn keep_whole(app: Arc<App>) -> Result<(), Infallible> {
    let mut ticks = tokio::time::interval(LOOK_EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        match app.bus.has_all_models().await {
            Ok(true) => {}
            Ok(false) => {
                if let Err(error) = make(&app).await {
                    tracing::warn!(error = &*error, "the registry of models could not be copied to Redis");
                }
            }
            Err(error) => tracing::debug!(%error, "the copy of the registry could not be looked at"),
        }
    }
}

/// Copies the registry. What changes while it is read would be overwritten by what was read: the copy is whole once a second look
/// finds what the first one found.
async fn make(app: &App) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let mut copied = listed(app).await?;
    for _ in 0..MOST_LOOKS {
        let draft = app.bus.draft_models().await?;
        app.bus.put_models(&copied, false).await?;
        let now = listed(app).await?;
        if now == copied && app.bus.models_are_whole(&draft).await? {
            tracing::info!(models = now.len(), "the registry of models was copied to Redis");
            return Ok(());
        }
        for gone in copied.iter().filter(|model| now.iter().all(|one| one.id != model.id)) {
            app.bus.remove_model(&gone.id).await?;
        }
        copied = now;
    }
    tracing::debug!("the registry of models changes while it is copied; it is copied again");
    Ok(())
}

/// All registered models, in the order of their names.
async fn listed(app: &App) -> Result<Vec<RegisteredModel>, StoreError> {
    let mut models: Vec<RegisteredModel> = Vec::new();
    let mut last: Option<ModelId> = None;
    loop {
        let page: Vec<ModelRecord> = app.store.models().list(None, last.as_ref(), PAGE).await?;
        models.extend(page.iter().filter_map(registered));
        match page.last() {
            Some(record) if page.len() == PAGE as usize => last = Some(record.id.clone()),
            _ => return Ok(models),
        }
    }
}
