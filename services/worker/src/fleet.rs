//! This worker among the others: registered, heard of every few seconds, and gone in order.

use std::time::Duration;

use millrace_bus::{Bus, BusError};
use millrace_contracts::event::Source;
use millrace_contracts::{Event, EventType, Pool, UnixMillis, WorkerId};
use millrace_inference::ModelCache;
use millrace_tasks::CancellationToken;
use serde_json::{Value, json};

use crate::held::Held;

/// Without a sign of life for so long a worker counts as lost.
const TIME_TO_LIVE: Duration = Duration::from_secs(15);

/// What a worker says of itself.
#[derive(Clone)]
pub(crate) struct Fleet {
    pub(crate) bus: Bus,
    pub(crate) worker: WorkerId,
    pub(crate) pools: Vec<Pool>,
    pub(crate) capacity: usize,
    pub(crate) models: ModelCache,
    pub(crate) held: Held,
    pub(crate) started_at: UnixMillis,
}

impl Fleet {
    fn info(&self, draining: bool) -> Value {
        json!({
            "worker_id": self.worker,
            "pools": self.pools,
            "models": self.models.warm(),
            "devices": ["cpu"],
            "memory_bytes": memory_bytes(),
            "running": self.held.count(),
            "capacity": self.capacity,
            "version": env!("CARGO_PKG_VERSION"),
            "started_at": self.started_at,
            "draining": draining,
        })
    }

    /// Registers and says so on the live channel.
    pub(crate) async fn say(&self, kind: EventType) -> Result<(), BusError> {
        let info = self.info(kind == EventType::WorkerDraining);
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
                () = stop.cancelled(), if !draining => EventType::WorkerDraining,
                () = done.cancelled() => return Ok(()),
            };
            draining |= kind == EventType::WorkerDraining;
            metrics::gauge!("millrace_worker_jobs_in_hand").set(self.held.count() as f64);
            let kind = if draining { EventType::WorkerDraining } else { kind };
            if let Err(error) = self.say(kind).await {
                tracing::warn!(%error, "no sign of life could be given");
            }
        }
    }

    /// Leaves the list.
    pub(crate) async fn leave(&self) {
        if let Err(error) = self.bus.remove_worker(&self.worker).await {
            tracing::debug!(%error, "the worker could not be taken off the list; it expires by itself");
        }
    }
}

/// Resident memory of this process; 0 where the system does not say.
fn memory_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib =
        line.and_then(|rest| rest.trim().strip_suffix("kB")).and_then(|text| text.trim().parse::<u64>().ok());
    kib.unwrap_or(0) * 1024
}
