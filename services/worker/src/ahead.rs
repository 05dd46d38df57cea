//! Loading a model ahead of its first job: one that nobody of the job's pool has, where it has room beside what is loaded, and where
//! no other worker of the pool has taken it upon itself. Nobody leaves for a guess.

use std::time::Duration;

use millrace_bus::BusError;
use millrace_contracts::{ModelId, Pool};
use millrace_inference::Pressure;

use crate::cpu::Caller;
use crate::neighbours::Neighbours;
use crate::role::Shared;

/// Another worker leaves a model to us for so long.
const CLAIM: Duration = Duration::from_secs(10);

/// Loads `model` for jobs of `pool`, if it is for this worker to do; `why` is told. Whether it does.
pub(crate) async fn load(
    shared: &Shared,
    neighbours: &Neighbours,
    (pool, model): (&Pool, &ModelId),
    why: &'static str,
) -> Result<bool, BusError> {
    if shared.models.has(model) || neighbours.have(pool, model) || shared.models.pressure() > Pressure::High {
        return Ok(false);
    }
    let (models, id) = (shared.models.clone(), model.clone());
    // One that is not on this machine's disk yet is brought there by its first job.
    let fits = move || {
        let file_bytes = models.prospect(&id).file_bytes;
        file_bytes.is_some() && models.has_room_for(&id, file_bytes)
    };
    let fits = shared.cpu.run(Caller::own(), fits).await.is_ok_and(|(fits, _)| fits);
    let claimed = fits && shared.bus.claim_preload((pool, model), &shared.worker, CLAIM).await?;
    if claimed {
        tracing::info!(model.id = %model, %pool, why, "loading a model ahead of its first job");
        metrics::counter!("millrace_worker_models_prefetched_total").increment(1);
        shared.models.prefetch_if_room(model);
    }
    Ok(claimed)
}
