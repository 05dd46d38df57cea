//! The fleet's record: who is there, and how the workers spend their time. Redis has what each says of itself; several replicas
//! may tell the same. What is missed while the record or Redis is away is made up for by the next look, for the workers count
//! by themselves; a worker that comes and goes between two looks is not seen.

use std::convert::Infallible;

use millrace_contracts::{Pool, UnixMillis, WorkerId};
use millrace_store::{WorkerRecord, WorkerStatus};
use serde::Deserialize;
use serde_json::Value;

use crate::role::Shared;

/// Looks now, and then once per interval, for ever.
pub(crate) async fn run(shared: Shared) -> Result<(), Infallible> {
    let mut ticks = tokio::time::interval(shared.settings.fleet_interval);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        // A failed look is left out: readiness and the record loop speak of outages.
        if let Err(error) = look(&shared).await {
            tracing::debug!(error, "the fleet was not recorded; the next look follows");
        }
    }
}

async fn look(shared: &Shared) -> Result<(), String> {
    let listed = shared.bus.workers().await.map_err(|error| error.to_string())?;
    let (alive, lost): (Vec<_>, Vec<_>) = listed.into_iter().partition(|worker| worker.info.is_some());
    let heard: Vec<WorkerRecord> = alive.into_iter().filter_map(record).collect();
    let alive: Vec<WorkerId> = heard.iter().map(|worker| worker.id.clone()).collect();
    let lost: Vec<WorkerId> = lost.into_iter().map(|worker| worker.id).collect();
    let recorded = async {
        shared.store.workers().hear(&heard).await?;
        shared.store.workers().close(&alive, &lost).await
    };
    recorded.await.map_err(|error| error.to_string())
}

/// What a worker says of itself, as far as the record has columns for it.
#[derive(Deserialize)]
struct Said {
    #[serde(default)]
    pools: Vec<Pool>,
    #[serde(default)]
    draining: bool,
    #[serde(default)]
    version: Option<String>,
    started_at: UnixMillis,
    #[serde(default)]
    busy_ms: u64,
}

/// None for a worker of another version that cannot be read.
fn record(worker: millrace_bus::WorkerRecord) -> Option<WorkerRecord> {
    let info: Value = serde_json::from_str(&worker.info?).ok()?;
    let said = Said::deserialize(&info).ok()?;
    Some(WorkerRecord {
        id: worker.id,
        status: if said.draining { WorkerStatus::Draining } else { WorkerStatus::Active },
        pools: said.pools,
        info,
        version: said.version,
        started_at: said.started_at,
        last_seen_at: worker.last_seen,
        busy_ms: said.busy_ms,
    })
}
