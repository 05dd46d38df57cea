//! What the model cache does, as `model:*` events. The cache must not wait for Redis, so they pass through a bounded
//! channel; when that is full an event is dropped: they are live only.

use std::sync::Arc;

use millrace_bus::Bus;
use millrace_contracts::event::Source;
use millrace_contracts::{Event, EventType, ModelId, UnixMillis, WorkerId};
use millrace_inference::{CacheObserver, Evicted, InferenceError, ModelInfo, Pressure};
use serde_json::{Value, json};
use tokio::sync::{Notify, mpsc};

const BACKLOG: usize = 256;

/// The cache's observer.
pub(crate) struct ModelEvents {
    worker: WorkerId,
    events: mpsc::Sender<Event>,
    /// Rung when the next sign of life should not wait.
    changed: Arc<Notify>,
}

impl ModelEvents {
    /// The observer, and the events it makes.
    pub(crate) fn new(worker: WorkerId) -> (Self, mpsc::Receiver<Event>) {
        let (events, receiver) = mpsc::channel(BACKLOG);
        (Self { worker, events, changed: Arc::default() }, receiver)
    }

    /// Rings when the worker has something to say of its memory.
    pub(crate) fn changed(&self) -> Arc<Notify> {
        Arc::clone(&self.changed)
    }

    fn say(&self, kind: EventType, id: &ModelId, mut data: Value) {
        data["model_id"] = json!(id);
        data["worker_id"] = json!(self.worker);
        let mut event =
            Event::new(kind, Source::Worker, uuid::Uuid::now_v7().to_string(), UnixMillis::now(), data);
        event.subject = Some(id.to_string());
        if self.events.try_send(event).is_err() {
            metrics::counter!("millrace_worker_model_events_dropped_total").increment(1);
        }
    }
}

impl CacheObserver for ModelEvents {
    fn loading(&self, id: &ModelId) {
        self.say(EventType::ModelLoading, id, json!({}));
    }

    fn loaded(&self, info: &ModelInfo, bytes: u64) {
        let duration_ms = info.load_time.as_secs_f64() * 1000.0;
        metrics::histogram!("millrace_worker_model_load_seconds").record(info.load_time.as_secs_f64());
        tracing::info!(model.id = %info.id, model.family = info.family, model.digest = %info.digest, duration_ms, "model loaded");
        let data = json!({
            "duration_ms": duration_ms, "bytes": bytes, "file_bytes": info.bytes, "family": info.family, "task": info.task, "digest": info.digest
        });
        self.say(EventType::ModelLoaded, &info.id, data);
        // Who reuses results by the model's copy wants to know which it is.
        self.changed.notify_one();
    }

    fn evicted(&self, id: &ModelId, why: Evicted) {
        tracing::info!(model.id = %id, model.why = why.as_str(), "model unloaded");
        metrics::counter!("millrace_worker_model_evictions_total", "why" => why.as_str()).increment(1);
        self.say(EventType::ModelEvicted, id, json!({"why": why.as_str()}));
    }

    fn failed(&self, id: &ModelId, error: &InferenceError) {
        tracing::warn!(model.id = %id, %error, "model could not be loaded");
        self.say(
            EventType::ModelFailed,
            id,
            json!({"error": {"kind": error.kind(), "message": error.to_string()}}),
        );
    }

    fn pressure(&self, pressure: Pressure) {
        tracing::info!(memory.pressure = pressure.as_str(), "the pressure on the memory changed");
        self.changed.notify_one();
    }
}

/// Publishes the events for as long as there are any to come.
pub(crate) async fn publish(
    bus: Bus,
    mut events: mpsc::Receiver<Event>,
) -> Result<(), std::convert::Infallible> {
    while let Some(event) = events.recv().await {
        if let Err(error) = bus.publish(&event).await {
            tracing::debug!(%error, "a model event could not be published");
        }
    }
    Ok(())
}
