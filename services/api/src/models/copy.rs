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
/// Models read from Postgres at once.
const PAGE: u32 = 500;

/// Commits a model, and tells the workers.
pub(crate) async fn note(app: &App, record: &ModelRecord) -> Result<(), Problem> {
    let was_whole = patiently(app.bus.doubt_models()).await?;
    app.store.models().put(record, app.settings.max_models).await?;
    let model: Vec<RegisteredModel> = registered(record).into_iter().collect();
    patiently(app.bus.put_models(&model, was_whole)).await?;
    patiently(app.bus.wish(&ModelWish::Forget { id: record.id.clone() })).await
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

async fn make(app: &App) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let mut models: Vec<RegisteredModel> = Vec::new();
    let mut last: Option<ModelId> = None;
    loop {
        let page: Result<Vec<ModelRecord>, StoreError> =
            app.store.models().list(None, last.as_ref(), PAGE).await;
        let page = page?;
        models.extend(page.iter().filter_map(registered));
        match page.last() {
            Some(record) if page.len() == PAGE as usize => last = Some(record.id.clone()),
            _ => break,
        }
    }
    app.bus.put_models(&models, true).await?;
    tracing::info!(models = models.len(), "the registry of models was copied to Redis");
    Ok(())
}
