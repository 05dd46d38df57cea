//! Workers that are gone: one that was killed says no farewell, and somebody has to take it off the list and say so. Every
//! replica looks; the one that takes a worker off is the one that tells.

use std::convert::Infallible;
use std::time::Duration;

use metrics::counter;
use millrace_bus::WorkerRecord;
use millrace_contracts::event::Source;
use millrace_contracts::{Event, EventType, UnixMillis};
use serde_json::json;

use crate::OrchestratorError;
use crate::role::Shared;
use crate::sweeper::{jittered, millis};

/// Pause between looks.
const PAUSE: Duration = Duration::from_secs(10);
/// A worker that was silent for so long does not come back. Its jobs were taken over long before; a machine that only stood
/// still for a while should not be called lost.
const SILENT: Duration = Duration::from_secs(60);

/// Looks now and again.
pub(crate) async fn run(shared: Shared) -> Result<(), Infallible> {
    loop {
        if let Err(error) = look(&shared).await {
            tracing::debug!(error = %error, "the fleet was not looked through; the next look follows");
        }
        tokio::time::sleep(jittered(PAUSE)).await;
    }
}

async fn look(shared: &Shared) -> Result<(), OrchestratorError> {
    let before = UnixMillis(UnixMillis::now().0 - millis(SILENT));
    let workers = shared.bus.workers().await?;
    for worker in workers.iter().filter(|worker| worker.info.is_none() && worker.last_seen < before) {
        if shared.bus.remove_worker(&worker.id).await? {
            tell(shared, worker).await?;
        }
    }
    Ok(())
}

async fn tell(shared: &Shared, worker: &WorkerRecord) -> Result<(), OrchestratorError> {
    tracing::warn!(worker.id = %worker.id, last_seen = %worker.last_seen.to_rfc3339(), "a worker is lost");
    counter!("millrace_orchestrator_workers_lost_total").increment(1);
    let data = json!({"worker_id": worker.id, "last_seen": worker.last_seen});
    let id = uuid::Uuid::now_v7().to_string();
    let mut event = Event::new(EventType::WorkerLost, Source::Orchestrator, id, UnixMillis::now(), data);
    event.subject = Some(worker.id.to_string());
    event.region = shared.bus.region();
    Ok(shared.bus.tell_recorded(&event).await?)
}
