//! Loads models ahead of their first job: one that jobs wait for and that nobody has is loaded while this worker's hands are
//! still full, so that it is there when they are free.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use millrace_bus::BusError;
use millrace_contracts::{ModelId, Pool};
use millrace_inference::Pressure;

use crate::ahead;
use crate::neighbours::Neighbours;
use crate::role::Shared;

const LOOK_EVERY: Duration = Duration::from_millis(250);

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
        ahead::load(shared, neighbours, &model, "jobs wait for it").await?;
    }
    Ok(())
}
