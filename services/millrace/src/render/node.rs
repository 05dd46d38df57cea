//! One line per node run.

use std::fmt;

use millrace_contracts::run::NodeView;
use millrace_contracts::{ItemPath, NodeId, NodeStatus};

use super::value::{as_detections, duration, summary, tone_of};
use crate::context::Out;

/// Ports of one line.
const SHOWN_PORTS: usize = 3;

/// `detect`, or `detect[3]` inside a loop.
pub(crate) fn node_label(node: &NodeId, path: &ItemPath) -> String {
    format!("{node}{path}")
}

/// A finished node run on one line.
pub(crate) struct NodeLine<'a> {
    pub(crate) view: &'a NodeView,
    pub(crate) out: Out,
}

impl fmt::Display for NodeLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let view = self.view;
        let mark = match view.status {
            NodeStatus::Completed => "✓",
            NodeStatus::Skipped | NodeStatus::Cancelled => "-",
            NodeStatus::Failed | NodeStatus::TimedOut => "✗",
            _ => "…",
        };
        let took = view.queued_at.or(view.started_at).zip(view.completed_at);
        let took = match (took, &view.origin) {
            (_, Some(_)) => "reused".to_owned(),
            (Some((from, to)), None) => duration(to.since(from)),
            (None, None) => String::new(),
        };
        let mark = self.out.paint(tone_of(view.status.as_str()), mark);
        let label = node_label(&view.node_id, &view.path);
        write!(f, "{mark} {label:<16} {:<18} {took:>8}  {}", view.block, result(view))
    }
}

fn result(view: &NodeView) -> String {
    if let Some(error) = &view.error
        && view.status != NodeStatus::Completed
    {
        return error.to_string();
    }
    let Some(outputs) = view.outputs.as_ref() else { return view.status.to_string() };
    // Beside detections, the other ports (count, classes) only repeat what these say.
    if let Some(found) = outputs.values().find(|value| as_detections(value).is_some()) {
        return summary(found);
    }
    if outputs.len() == 1 {
        return outputs.values().map(summary).collect();
    }
    let named = outputs.iter().take(SHOWN_PORTS);
    let said: Vec<_> = named.map(|(name, value)| format!("{name}={}", summary(value))).collect();
    said.join(", ")
}
