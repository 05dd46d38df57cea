//! What this worker is asked to do with models: load one ahead of its first job, or give one up.

use std::sync::Arc;

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use millrace_bus::{BusError, LiveItem};
use millrace_contracts::job::ModelRef;
use millrace_contracts::model::ModelWish;

use crate::origins;
use crate::role::Shared;

/// Models that are fetched at once; what is asked for beyond that is loaded by its first job.
const MOST_AT_ONCE: usize = 8;

/// Listens for as long as it is polled.
pub(crate) async fn listen(shared: Arc<Shared>) -> Result<(), BusError> {
    let mut wishes = shared.bus.subscribe(&[&shared.bus.model_wishes_channel()]).await?;
    let mut loading = FuturesUnordered::new();
    loop {
        let item = tokio::select! {
            item = wishes.next() => item,
            Some(()) = loading.next() => continue,
        };
        let event = match item {
            Some(LiveItem::Event(event)) => event,
            // What was asked meanwhile was a hint, and is lost.
            Some(LiveItem::Reconnected) => continue,
            None => return Ok(()),
        };
        match serde_json::from_str(&event.payload) {
            Ok(ModelWish::Forget { id }) => origins::forget(&shared, &id),
            Ok(ModelWish::Load { model, pool }) if shared.pools.contains(&pool) => {
                if loading.len() < MOST_AT_ONCE {
                    loading.push(load(Arc::clone(&shared), model));
                } else {
                    tracing::warn!(model.id = %model.id, "too many models are being fetched; this one is left to its first job");
                }
            }
            Ok(ModelWish::Load { .. }) => {}
            Err(error) => tracing::warn!(%error, "a wish could not be read and was passed over"),
        }
    }
}

async fn load(shared: Arc<Shared>, model: ModelRef) {
    tracing::info!(model.id = %model.id, "asked to load a model");
    match origins::provide(&shared, &model).await {
        Ok(_) => shared.models.prefetch(&model.id),
        Err(error) => tracing::warn!(model.id = %model.id, %error, "a model could not be brought here"),
    }
}
