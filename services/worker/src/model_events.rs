//! What the model cache does, as `model:*` events. The cache must not wait for Redis, so they pass through a bounded
//! channel; when that is full an event is dropped: they are live only.

use std::sync::Arc;

use millrace_bus::Bus;
use millrace_contracts::event::Source;
use millrace_contracts::{ErrorKind, Event, EventType, JobError, ModelId, UnixMillis, WorkerId};
use millrace_inference::{CacheObserver, Evicted, InferenceError, ModelInfo, Pressure, is_url};
use serde_json::{Value, json};
use tokio::sync::{Notify, mpsc};

use crate::device_loss::DeviceLoss;
use crate::error::of_inference;
use crate::failures::Failures;

const BACKLOG: usize = 256;

/// The cache's observer. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct ModelEvents {
    worker: WorkerId,
    events: mpsc::Sender<Event>,
    failures: Failures,
    device_loss: DeviceLoss,
    /// Rung when the next sign of life should not wait.
    changed: Arc<Notify>,
    /// Rung when a model was loaded.
    loaded: Arc<Notify>,
}

impl ModelEvents {
    /// The observer, and the events it makes.
    pub(crate) fn new(worker: WorkerId) -> (Self, mpsc::Receiver<Event>) {
        let (events, receiver) = mpsc::channel(BACKLOG);
        let (failures, changed, loaded) = (Failures::default(), Arc::default(), Arc::default());
        let device_loss = DeviceLoss::default();
        (Self { worker, events, failures, device_loss, changed, loaded }, receiver)
    }

    /// Rings when the worker has something to say of its memory.
    pub(crate) fn changed(&self) -> Arc<Notify> {
        Arc::clone(&self.changed)
    }

    /// Rings when there is a loaded model more.
    pub(crate) fn loaded_models(&self) -> Arc<Notify> {
        Arc::clone(&self.loaded)
    }

    /// What went wrong.
    pub(crate) fn failures(&self) -> Failures {
        self.failures.clone()
    }

    /// Whether models have anything to run on.
    pub(crate) fn device_loss(&self) -> DeviceLoss {
        self.device_loss.clone()
    }

    /// Says that a model that was asked for could not be brought here.
    pub(crate) fn not_brought(&self, id: &ModelId, error: &JobError) {
        self.say_failed(id, error);
        self.note(id, error);
    }

    /// What was said of a model does not hold any more.
    pub(crate) fn is_another(&self, id: &ModelId) {
        if self.failures.forget(id) {
            self.changed.notify_one();
        }
    }

    fn say_failed(&self, id: &ModelId, error: &JobError) {
        self.say(
            EventType::ModelFailed,
            id,
            json!({"error": {"kind": error.kind, "message": error.message}}),
        );
    }

    /// Who asked for it waits.
    fn note(&self, id: &ModelId, error: &JobError) {
        self.failures.note(id, error);
        self.changed.notify_one();
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
        self.failures.forget(&info.id);
        // Who reuses results by the model's copy wants to know which it is.
        self.changed.notify_one();
        self.loaded.notify_one();
    }

    fn evicted(&self, id: &ModelId, why: Evicted) {
        tracing::info!(model.id = %id, model.why = why.as_str(), "model unloaded");
        metrics::counter!("millrace_worker_model_evictions_total", "why" => why.as_str()).increment(1);
        self.say(EventType::ModelEvicted, id, json!({"why": why.as_str()}));
        if why == Evicted::Replaced {
            // Nobody should take the copy that was for one that is.
            self.changed.notify_one();
        }
    }

    fn failed(&self, id: &ModelId, error: &InferenceError) {
        tracing::warn!(model.id = %id, %error, "model could not be loaded");
        // Before those who wait for the load hear of it.
        self.device_loss.note(error);
        let error = of_inference(error);
        self.say_failed(id, &error);
        // Jobs may ask for any name: only a model that is there has something wrong with it.
        if !is_url(id) && !matches!(error.kind, ErrorKind::ModelNotFound | ErrorKind::InvalidConfig) {
            self.note(id, &error);
        }
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
