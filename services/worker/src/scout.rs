//! Loads models ahead of their first job: one that jobs wait for and that nobody of their pool has is loaded while this worker's
//! hands are still full, so that it is there when they are free.

use std::collections::HashSet;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use millrace_bus::BusError;
use millrace_contracts::Pool;
use millrace_inference::Pressure;

use crate::ahead;
use crate::neighbours::Neighbours;
use crate::role::Shared;
use crate::router::turn_of;

const LOOK_EVERY: Duration = Duration::from_millis(250);

/// Looks for as long as it is polled.
pub(crate) async fn look(shared: Arc<Shared>, neighbours: Neighbours) -> Result<(), Infallible> {
    let mut ticks = tokio::time::interval(LOOK_EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut turn = 0;
    loop {
        ticks.tick().await;
        // With a hand free the job itself is taken, and its model loaded, at once.
        let full = shared.lanes.full(|pools| shared.held.count_of(pools));
        if full.is_empty() || shared.models.pressure() > Pressure::High {
            continue;
        }
        if let Err(error) = load_what_is_waited_for(&shared, &neighbours, &full, &mut turn).await {
            tracing::debug!(%error, "the queues could not be looked at");
        }
    }
}

async fn load_what_is_waited_for(
    shared: &Shared,
    neighbours: &Neighbours,
    pools: &[Pool],
    turn: &mut usize,
) -> Result<(), BusError> {
    let mut cold = shared.bus.model_queues(pools).await?;
    cold.retain(|(pool, model)| !shared.models.has(model) && !neighbours.have(pool, model));
    if cold.is_empty() {
        return Ok(());
    }
    // In an order that stays: the longest unused queue comes first otherwise.
    cold.sort();
    let some = turn_of(cold, turn);
    let oldest = shared.bus.oldest_waiting(&some).await?;
    let waiting = some.into_iter().zip(oldest).filter(|(_, oldest)| oldest.is_some());
    // One that several pools wait for is loaded once.
    let mut begun = HashSet::new();
    for ((pool, model), _) in waiting {
        if !begun.contains(&model)
            && ahead::load(shared, neighbours, (&pool, &model), "jobs wait for it").await?
        {
            begun.insert(model);
        }
    }
    Ok(())
}
