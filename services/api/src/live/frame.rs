//! An event in the form it is sent in. The SSE text is made once per event, however many clients there are, and the
//! payload in it is the text that was published, byte for byte.

use bytes::Bytes;
use millrace_contracts::event::LogPosition;
use millrace_contracts::{EventType, ExecutionId, WorkflowId};
use serde::Deserialize;

/// A live or replayed event.
#[derive(Debug, Clone)]
pub(crate) struct Frame {
    /// What happened.
    pub(crate) kind: EventType,
    /// The run it belongs to.
    pub(crate) run: Option<ExecutionId>,
    /// The saved workflow of that run.
    pub(crate) workflow: Option<WorkflowId>,
    /// Its place in the run's log; none for live-only events.
    pub(crate) position: Option<LogPosition>,
    text: Bytes,
    /// Where the text begins without its `id:` line.
    unnumbered_at: usize,
}

/// The envelope's attributes that routing needs; the data is skipped over.
#[derive(Deserialize)]
struct Head {
    #[serde(rename = "type")]
    kind: EventType,
    #[serde(default, rename = "executionid")]
    run: Option<ExecutionId>,
    #[serde(default, rename = "workflowid")]
    workflow: Option<WorkflowId>,
    #[serde(default)]
    epoch: Option<u32>,
    #[serde(default)]
    seq: Option<u64>,
}

impl Frame {
    /// The frame of an event's JSON; none when it is not an envelope of ours.
    pub(crate) fn of(payload: &str) -> Option<Self> {
        let head: Head = serde_json::from_str(payload).ok()?;
        let position = head.position();
        let id = position.map(|position| format!("id: {position}\n")).unwrap_or_default();
        let unnumbered_at = id.len();
        let text = Bytes::from(message(&id, &head.kind.sse_name(), payload));
        Some(Self { kind: head.kind, run: head.run, workflow: head.workflow, position, text, unnumbered_at })
    }

    /// The SSE text.
    pub(crate) fn text(&self) -> Bytes {
        self.text.clone()
    }

    /// The SSE text without an id, for streams that cannot be resumed.
    pub(crate) fn unnumbered(&self) -> Bytes {
        self.text.slice(self.unnumbered_at..)
    }
}

impl Head {
    fn position(&self) -> Option<LogPosition> {
        self.epoch.zip(self.seq).map(|(epoch, seq)| LogPosition { epoch, seq })
    }
}

/// What an event's JSON is of, and its place in the log; none when it is not an envelope of ours.
pub(crate) fn kind_and_place(payload: &str) -> Option<(EventType, Option<LogPosition>)> {
    let head: Head = serde_json::from_str(payload).ok()?;
    Some((head.kind, head.position()))
}

/// How long a client waits before it connects again.
pub(crate) const RETRY: &str = "retry: 1000\n\n";
/// Keeps an idle connection open.
pub(crate) const PING: &str = ": ping\n\n";

/// Why a stream ends whose opener would not be let in any more.
pub(crate) const UNAUTHORIZED: &str = "the api key was revoked, or the server asks for one now";

/// An SSE message that is not an event of the log: `snapshot`, `end`, `gone`, `lagged`, `reconnect`, `unauthorized`.
pub(crate) fn notice(id: Option<LogPosition>, event: &str, data: &str) -> Bytes {
    let id = id.map(|position| format!("id: {position}\n")).unwrap_or_default();
    Bytes::from(message(&id, event, data))
}

fn message(id: &str, event: &str, data: &str) -> String {
    let mut text = String::with_capacity(id.len() + event.len() + data.len() + 20);
    text.push_str(id);
    text.push_str("event: ");
    text.push_str(event);
    // A line break inside the data would end the field; compact JSON has none, but we did not write it.
    for line in data.split(['\n', '\r']).filter(|line| !line.is_empty()) {
        text.push_str("\ndata: ");
        text.push_str(line);
    }
    text.push_str("\n\n");
    text
}

#[cfg(test)]
mod tests {
    use millrace_contracts::event::Source;
    use millrace_contracts::{Event, UnixMillis};
    use serde_json::json;

    use super::*;

    #[test]
    fn the_payload_passes_through_untouched() {
        let run = ExecutionId::generate();
        let payload = format!(
            r#"{{"specversion":"1.0", "type":"millrace.workflow.node.completed","executionid":"{run}","epoch":1,"seq":3,"future":[1, 2],"data":{{"x":1.50}}}}"#
        );
        let frame = Frame::of(&payload).unwrap();
        assert_eq!(frame.run, Some(run));
        assert_eq!(frame.text(), format!("id: 1-3\nevent: node.completed\ndata: {payload}\n\n"));
        assert_eq!(frame.unnumbered(), format!("event: node.completed\ndata: {payload}\n\n"));
    }

    #[test]
    fn live_only_events_have_no_id_and_line_breaks_do_no_harm() {
        let event =
            Event::new(EventType::NodeStarted, Source::Orchestrator, "x".into(), UnixMillis(0), json!({}));
        let pretty = serde_json::to_string_pretty(&event).unwrap();
        let text = Frame::of(&pretty).unwrap().text();
        let text = std::str::from_utf8(&text).unwrap();
        assert!(text.starts_with("event: node.started\ndata: {\ndata: "), "{text}");
        assert_eq!(text.matches("\n\n").count(), 1);
    }

    #[test]
    fn what_is_no_envelope_makes_no_frame() {
        for payload in ["", "null", "{}", r#"{"type":"somebody.elses"}"#] {
            assert!(Frame::of(payload).is_none(), "{payload}");
        }
    }
}
