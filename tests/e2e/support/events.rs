//! What an SSE client sees, and the promises about it that every test checks the same way.

use anyhow::Context;
use millrace_contracts::event::LogPosition;
use serde_json::Value;

/// One server-sent event.
#[derive(Debug, Clone)]
pub(crate) struct SseEvent {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) data: Value,
}

impl From<eventsource_stream::Event> for SseEvent {
    fn from(event: eventsource_stream::Event) -> Self {
        let data = serde_json::from_str(&event.data).unwrap_or(Value::String(event.data));
        Self { id: event.id, name: event.event, data }
    }
}

/// The durable events among `events`: envelopes with a `seq`, as against `snapshot` and `end`.
pub(crate) fn durable(events: &[SseEvent]) -> Vec<&SseEvent> {
    events.iter().filter(|event| event.data["specversion"] == "1.0" && event.data["seq"].is_u64()).collect()
}

/// Checks that the durable events are numbered `first`, `first + 1`, … without a gap, each id saying the same, and
/// that the last one ends the run; gives the last number.
pub(crate) fn check_gapless(events: &[SseEvent], first: u64) -> anyhow::Result<u64> {
    let durable = durable(events);
    for (expected, event) in (first..).zip(&durable) {
        let position: LogPosition = event.id.parse()?;
        let seq = event.data["seq"].as_u64();
        anyhow::ensure!(
            seq == Some(expected) && position.seq == expected,
            "expected seq {expected}, found {seq:?} with id {} in {}",
            event.id,
            event.name
        );
    }
    let last = durable.last().context("a run has events")?;
    let terminal = matches!(last.name.as_str(), "completed" | "failed" | "cancelled");
    anyhow::ensure!(terminal, "the last event is {}", last.name);
    last.data["seq"].as_u64().context("the last event has a seq")
}
