//! What this worker is asked to do with models: load one ahead of its first job, expect one, or give one up.

use std::convert::Infallible;
use std::sync::Arc;

use futures::stream::FuturesUnordered;
use futures::{FutureExt, StreamExt};
use millrace_bus::LiveItem;
use millrace_contracts::ModelId;
use millrace_contracts::job::ModelRef;
use millrace_contracts::model::ModelWish;

use crate::neighbours::Neighbours;
use crate::role::Shared;
use crate::{ahead, origins};

/// Models that are fetched at once; what is asked for beyond that is loaded by its first job.
const MOST_AT_ONCE: usize = 8;

/// Listens for as long as it is polled.
pub(crate) async fn listen(shared: Arc<Shared>, neighbours: Neighbours) -> Result<(), Infallible> {
    let mut wishes = shared.bus.subscribe_patiently(&[&shared.bus.model_wishes_channel()]).await;
    let mut loading = FuturesUnordered::new();
    loop {
        let item = tokio::select! {
            item = wishes.next() => item,
            Some(()) = loading.next() => continue,
        };
        let event = match item {
            Some(LiveItem::Event(event)) => event,
            // What was asked meanwhile was a hint, and is lost; what changed meanwhile must not stay.
            Some(LiveItem::Reconnected) => {
                if let Err(error) = origins::catch_up(&shared).await {
                    tracing::debug!(%error, "what changed of the registered models is learned from the jobs that use them");
                }
                continue;
            }
            None => return Ok(()),
        };
        match serde_json::from_str(&event.payload) {
            Ok(ModelWish::Forget { id }) => origins::forget(&shared, &id).await,
            Ok(ModelWish::Load { model, pool }) if shared.pools.contains(&pool) => {
                if loading.len() < MOST_AT_ONCE {
                    loading.push(load(&shared, model).boxed());
                } else {
                    tracing::warn!(model.id = %model.id, "too many models are being fetched; this one is left to its first job");
                }
            }
            Ok(ModelWish::Expect { model, pool }) if shared.pools.contains(&pool) => {
                if loading.len() < MOST_AT_ONCE {
                    loading.push(expect(&shared, &neighbours, model).boxed());
                }
            }
            Ok(ModelWish::Load { .. } | ModelWish::Expect { .. }) => {}
            Err(error) => tracing::warn!(%error, "a wish could not be read and was passed over"),
        }
    }
}

async fn expect(shared: &Shared, neighbours: &Neighbours, model: ModelId) {
    if let Err(error) = ahead::load(shared, neighbours, &model, "runs under way will need it").await {
        tracing::debug!(model.id = %model, %error, "a model that is expected could not be loaded ahead");
    }
}

async fn load(shared: &Shared, model: ModelRef) {
    tracing::info!(model.id = %model.id, "asked to load a model");
    match origins::provide_ahead(shared, &model).await {
        Ok(()) => shared.models.prefetch(&model.id),
        Err(error) => {
            tracing::warn!(model.id = %model.id, %error, "a model could not be brought here");
            shared.model_events.not_brought(&model.id, &error);
        }
    }
}
