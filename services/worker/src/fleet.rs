//! This worker among the others: registered, heard of every few seconds, and gone in order.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use millrace_bus::{Bus, BusError};
use millrace_contracts::event::Source;
use millrace_contracts::{Event, EventType, ModelId, Pool, UnixMillis, WorkerId};
use millrace_inference::{Chosen, MemoryMeter, ModelCache, ProcessMeter, family_names};
use millrace_tasks::{CancellationToken, within};
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::Phase;
use crate::cpu::cores;
use crate::failures::Failures;
use crate::held::Held;
use crate::inventory::Inventory;

/// Without a sign of life for so long a worker counts as lost.
const TIME_TO_LIVE: Duration = Duration::from_secs(15);
/// A word at the end that takes longer is left out: an orchestrator takes a silent worker off the list.
const FAREWELL: Duration = Duration::from_secs(1);

/// What a worker says of itself.
#[derive(Clone)]
pub(crate) struct Fleet {
    pub(crate) bus: Bus,
    pub(crate) worker: WorkerId,
    pub(crate) pools: Vec<Pool>,
    pub(crate) capacity: usize,
    pub(crate) models: ModelCache,
    pub(crate) device: Chosen,
    pub(crate) held: Held,
    pub(crate) phase: Phase,
    /// Where its process serves `/healthz`, `/readyz` and `/metrics`.
    pub(crate) health_listen: Option<SocketAddr>,
    /// Rung when the next sign of life should not wait.
    pub(crate) changed: Arc<Notify>,
    /// Models of the repository.
    pub(crate) inventory: Inventory,
    /// Models that could not be loaded.
    pub(crate) failures: Failures,
    pub(crate) started_at: UnixMillis,
}

impl Fleet {
    fn info(&self) -> Value {
        let report = self.models.report();
        let warm: Vec<&ModelId> = report.warm.iter().map(|model| &model.model_id).collect();
        json!({
            "worker_id": self.worker,
            "state": self.phase.as_str(),
            "pools": self.pools,
            "models": warm,
            "warm": report.warm,
            "loading": report.loading,
            "inventory": &*self.inventory.ids(),
            "further_inventory": self.inventory.further(),
            "failed": self.failures.told(),
            "families": family_names(),
            "devices": [self.device.device.to_string()],
            "gpu_model": self.device.gpu_model,
            "cores": cores(),
            "memory_bytes": ProcessMeter.resident_bytes(),
            "memory": {
                "budget_bytes": report.budget_bytes,
                "used_bytes": report.used_bytes,
                "reserved_bytes": report.reserved_bytes,
                "pressure": report.pressure,
            },
            "loads": report.loaded,
            "evictions": report.evicted,
            "running": self.held.count(),
            "capacity": self.capacity,
            "busy_ms": u64::try_from(self.held.busy().as_millis()).unwrap_or(u64::MAX),
            "version": env!("CARGO_PKG_VERSION"),
            "started_at": self.started_at,
            "health_listen": self.health_listen,
            "draining": self.phase.is_draining(),
        })
    }

    /// Registers and says so on the live channel.
    pub(crate) async fn say(&self, kind: EventType) -> Result<(), BusError> {
        let info = self.info();
        self.bus.register_worker(&self.worker, &info.to_string(), TIME_TO_LIVE).await?;
        let id = uuid::Uuid::now_v7().to_string();
        let mut event = Event::new(kind, Source::Worker, id, UnixMillis::now(), info);
        event.subject = Some(self.worker.to_string());
        self.bus.publish(&event).await
    }

    /// A sign of life every `every` until `done`; says once that it drains when `stop` comes.
    pub(crate) async fn beat(
        self,
        every: Duration,
        stop: CancellationToken,
        done: CancellationToken,
    ) -> Result<(), std::convert::Infallible> {
        let mut ticks = tokio::time::interval(every);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut draining = false;
        loop {
            let kind = tokio::select! {
                _ = ticks.tick() => EventType::WorkerHeartbeat,
                () = self.changed.notified() => EventType::WorkerHeartbeat,
                () = stop.cancelled(), if !draining => EventType::WorkerDraining,
                () = done.cancelled() => return Ok(()),
            };
            if kind == EventType::WorkerDraining {
                draining = true;
                self.phase.drain();
            }
            self.measure();
            let kind = if draining { EventType::WorkerDraining } else { kind };
            // Without Redis it would be tried for longer than the jobs take to end.
            let too_late = async {
                done.cancelled().await;
                tokio::time::sleep(FAREWELL).await;
            };
            let said = tokio::select! {
                said = self.say(kind) => said,
                () = too_late => return Ok(()),
            };
            if let Err(error) = said {
                tracing::warn!(%error, "no sign of life could be given");
            }
        }
    }

    fn measure(&self) {
        metrics::gauge!("millrace_worker_jobs_in_hand").set(self.held.count() as f64);
        let report = self.models.report();
        metrics::gauge!("millrace_worker_model_memory_bytes").set(report.used_bytes as f64);
        metrics::gauge!("millrace_worker_model_budget_bytes").set(report.budget_bytes as f64);
        metrics::gauge!("millrace_worker_models_warm").set(report.warm.len() as f64);
        // 0 low, 1 medium, 2 high, 3 critical.
        metrics::gauge!("millrace_worker_memory_pressure").set(f64::from(report.pressure as u8));
    }

    /// Leaves the list.
    pub(crate) async fn leave(&self) {
        if let Err(error) = within(FAREWELL, self.bus.remove_worker(&self.worker)).await {
            tracing::debug!(
                error,
                "the worker could not be taken off the list; an orchestrator does it in a minute"
            );
        }
    }
}
