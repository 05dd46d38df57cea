//! What this worker is asked to do with models: load one ahead of its first job, expect one, or give one up.

use std::convert::Infallible;
use std::sync::Arc;

use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use futures::{FutureExt, StreamExt};
use millrace_bus::LiveItem;
use millrace_contracts::job::ModelRef;
use millrace_contracts::model::ModelWish;
use millrace_contracts::{ModelId, Pool};
use millrace_inference::is_url;

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
        match item {
            Some(LiveItem::Event(event)) => match serde_json::from_str(&event.payload) {
                Ok(wish) => loading.extend(begin(&shared, &neighbours, wish, loading.len()).await),
                Err(error) => tracing::warn!(%error, "a wish could not be read and was passed over"),
            },
            // What was asked meanwhile was a hint, and is lost; what changed meanwhile must not stay.
            Some(LiveItem::Reconnected) => catch_up(&shared).await,
            None => return Ok(()),
        }
    }
}

/// What there is to do for a wish while so many models are being fetched; none when it is done, or not for this worker.
async fn begin<'a>(
    shared: &'a Shared,
    neighbours: &'a Neighbours,
    wish: ModelWish,
    loading: usize,
) -> Option<BoxFuture<'a, ()>> {
    let has_room = loading < MOST_AT_ONCE;
    match wish {
        ModelWish::Forget { id } if is_url(&id) => has_room.then(|| doubt(shared, id).boxed()),
        ModelWish::Forget { id } => {
            origins::forget(shared, &id).await;
            None
        }
        ModelWish::Load { pool, .. } | ModelWish::Expect { pool, .. } if !shared.pools.contains(&pool) => {
            None
        }
        ModelWish::Load { model, .. } if has_room => Some(load(shared, model).boxed()),
        ModelWish::Load { model, .. } => {
            tracing::warn!(model.id = %model.id, "too many models are being fetched; this one is left to its first job");
            None
        }
        ModelWish::Expect { model, pool } => {
            has_room.then(|| expect(shared, neighbours, (pool, model)).boxed())
        }
    }
}

async fn doubt(shared: &Shared, model: ModelId) {
    origins::doubt(shared, &model).await;
}

async fn catch_up(shared: &Shared) {
    if let Err(error) = origins::catch_up(shared).await {
        tracing::debug!(%error, "what changed of the registered models is learned from the jobs that use them");
    }
}

async fn expect(shared: &Shared, neighbours: &Neighbours, (pool, model): (Pool, ModelId)) {
    let loaded = ahead::load(shared, neighbours, (&pool, &model), "runs under way will need it").await;
    if let Err(error) = loaded {
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
