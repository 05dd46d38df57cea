//! Telling a run's `callback_url` of its end. The news is a job of the block `webhook` for the pool `io`: nothing here speaks to
//! strangers. What makes it sure is the record: the run's end is committed, and who is not known to have been told is told
//! again, whatever was lost in between. Its job has the same id each time, and so the same `Idempotency-Key`.

mod letter;
mod reconcile;

use metrics::counter;
use millrace_bus::Delivery;
use millrace_contracts::event::Source;
use millrace_contracts::job::{CALLBACK_NODE, JobOutcome, JobReport};
use millrace_contracts::message::Message;
use millrace_contracts::run::CallbackTold;
use millrace_contracts::{Event, EventType, ExecutionId, UnixMillis};
use serde_json::{Value, json};

use crate::OrchestratorError;
use crate::role::Shared;

pub(crate) use letter::letter;
pub(crate) use reconcile::run as reconcile;

/// Takes the reports on call-backs out of `deliveries`; what is left is about runs that go on, or did when it was sent.
pub(crate) fn take(deliveries: Vec<Delivery>) -> (Vec<Delivery>, Vec<Delivery>) {
    let is_report = |message: &Message| matches!(message, Message::Report { node_id, .. } if node_id.as_str() == CALLBACK_NODE);
    deliveries.into_iter().partition(|delivery| !is_report(&delivery.message))
}

/// Hands what `reports` say to the writer.
pub(crate) async fn record(shared: &Shared, reports: &[Delivery]) -> Result<(), OrchestratorError> {
    let told: Vec<_> = reports.iter().filter_map(|delivery| told(&delivery.message)).collect();
    shared.bus.record(&told).await?;
    for (run, event) in &told {
        let outcome = if event.kind == EventType::CallbackDelivered { "delivered" } else { "failed" };
        counter!("millrace_orchestrator_callbacks_total", "outcome" => outcome).increment(1);
        if event.kind == EventType::CallbackFailed {
            let error = event.data["error"]["message"].as_str();
            let (status, attempts) = (event.data["status"].as_u64(), event.data["attempts"].as_u64());
            tracing::warn!(execution.id = %run, error, http.status = status, attempts, "nobody took the news of a run's end; it is not sent again");
        }
    }
    Ok(())
}

/// The event that an end of a call-back is.
fn told(message: &Message) -> Option<(ExecutionId, Event)> {
    let Message::Report { execution_id: run, at, report, .. } = message else { return None };
    let JobReport { outcome, .. } = &**report;
    let (kind, told) = match outcome {
        JobOutcome::Started => return None,
        JobOutcome::Completed { outputs, .. } => {
            let number = |name: &str| outputs.get(name).and_then(Value::as_u64);
            let status = number("status").and_then(|status| u16::try_from(status).ok());
            let attempts = number("attempts").and_then(|attempts| u32::try_from(attempts).ok());
            (EventType::CallbackDelivered, CallbackTold { status, attempts, error: None })
        }
        JobOutcome::Failed { error, metrics } => (
            EventType::CallbackFailed,
            CallbackTold { status: metrics.answered, attempts: metrics.sent, error: Some(error.clone()) },
        ),
    };
    Some((*run, event(*run, kind, *at, &told)))
}

fn event(run: ExecutionId, kind: EventType, at: UnixMillis, told: &CallbackTold) -> Event {
    let id = format!("{run}/{}", kind.sse_name());
    let mut event = Event::new(kind, Source::Orchestrator, id, at, json!(told));
    event.execution_id = Some(run);
    event
}
