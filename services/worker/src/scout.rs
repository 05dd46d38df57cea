//! Loads models ahead of their first job: one that jobs wait for and that nobody has is loaded while this worker's hands are
//! still full, so that it is there when they are free.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use millrace_bus::BusError;
use millrace_contracts::{ModelId, Pool};
use millrace_inference::Pressure;

use crate::cpu::Caller;
use crate::neighbours::Neighbours;
use crate::role::Shared;

const LOOK_EVERY: Duration = Duration::from_millis(250);
/// Another worker leaves a model to us for so long.
const CLAIM: Duration = Duration::from_secs(10);

/// Looks for as long as it is polled.
pub(crate) async fn look(shared: Arc<Shared>, neighbours: Neighbours) -> Result<(), Infallible> {
    let mut ticks = tokio::time::interval(LOOK_EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        // With a hand free the job itself is taken, and its model loaded, at once.
        let full = shared.lanes.full(|pools| shared.held.count_of(pools));
        if full.is_empty() || shared.models.pressure() > Pressure::High {
            continue;
        }
        if let Err(error) = load_what_is_waited_for(&shared, &neighbours, &full).await {
            tracing::debug!(%error, "the queues could not be looked at");
        }
    }
}

async fn load_what_is_waited_for(
    shared: &Shared,
    neighbours: &Neighbours,
    pools: &[Pool],
) -> Result<(), BusError> {
    let depths = shared.bus.queue_depths().await?;
    let waiting = depths.into_iter().filter(|depth| depth.waiting > 0 && pools.contains(&depth.pool));
    let models: BTreeSet<ModelId> = waiting.filter_map(|depth| depth.model).collect();
    for model in models {
        if shared.models.has(&model) || neighbours.have(&model) {
            continue;
        }
        let (models, id) = (shared.models.clone(), model.clone());
        // One that is not on this machine's disk yet is brought there by its first job.
        let fits = move || {
            let file_bytes = models.prospect(&id).file_bytes;
            file_bytes.is_some() && models.has_room_for(&id, file_bytes)
        };
        let fits = shared.cpu.run(Caller::own(), fits).await.is_ok_and(|(fits, _)| fits);
        if fits && shared.bus.claim_preload(&model, &shared.worker, CLAIM).await? {
            tracing::info!(model.id = %model, "loading a model that jobs wait for");
            metrics::counter!("millrace_worker_models_prefetched_total").increment(1);
            shared.models.prefetch(&model);
        }
    }
    Ok(())
}
