//! No event is larger than the bus allows: what outgrows it has its outputs moved to the blob store.

use millrace_blobs::Blobs;
use millrace_contracts::Event;
use serde_json::Value;

use crate::OrchestratorError;

/// The most an event may weigh on the bus, bytes; a little under 64 KiB leaves room for the envelope.
const EVENT_LIMIT_BYTES: usize = 60 * 1024;

/// Moves the outputs of events that are too large into the blob store.
pub(crate) async fn check(blobs: &Blobs, events: &mut [Event]) -> Result<(), OrchestratorError> {
    for event in events {
        if is_small(&event.data) || weight(&event.data) <= EVENT_LIMIT_BYTES {
            continue;
        }
        if let Some(outputs) = event.data.get_mut("outputs") {
            *outputs = blobs.put_value(outputs).await?.to_value();
        }
    }
    Ok(())
}

/// A cheap first look: few values cannot be large, since each is under the inline limit.
fn is_small(data: &Value) -> bool {
    data.get("outputs").and_then(Value::as_object).is_none_or(|outputs| outputs.is_empty())
}

fn weight(data: &Value) -> usize {
    serde_json::to_vec(data).map_or(usize::MAX, |json| json.len())
}
