//! Ends of runs, as metrics.

use metrics::{counter, histogram};
use millrace_contracts::Event;

/// What is counted of a run's end, once that is committed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct End {
    status: &'static str,
    seconds: f64,
}

impl End {
    /// The end that these events of a run hold, if they do.
    pub(crate) fn among(durable: &[Event]) -> Option<Self> {
        let end = durable.last().filter(|event| event.kind.ends_run())?;
        let status = end.kind.channel().trim_start_matches("workflow:");
        let took_ms = end.data["duration_ms"].as_f64().unwrap_or_default();
        Some(Self { status, seconds: took_ms / 1000.0 })
    }

    /// Counts it.
    pub(crate) fn count(self) {
        counter!("millrace_runs_ended_total", "status" => self.status).increment(1);
        histogram!("millrace_run_seconds", "status" => self.status).record(self.seconds);
    }
}

#[cfg(test)]
mod tests {
    use millrace_contracts::event::Source;
    use millrace_contracts::{EventType, UnixMillis};
    use serde_json::json;

    use super::*;

    fn event(kind: EventType) -> Event {
        Event::new(kind, Source::Orchestrator, "one".into(), UnixMillis(0), json!({"duration_ms": 1500}))
    }

    #[test]
    fn an_end_is_seen_by_its_kind() {
        let step = [event(EventType::NodeCompleted), event(EventType::WorkflowFailed)];
        assert_eq!(End::among(&step), Some(End { status: "failed", seconds: 1.5 }));
        assert_eq!(End::among(&step[..1]), None);
        assert_eq!(End::among(&[]), None);
    }
}
