//! Where each node's time went, read from the live state as `wf_measured_nodes` reads it from the record.

use std::collections::BTreeMap;

use millrace_contracts::NodeStatus;
use millrace_contracts::run::NodeView;
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

/// What the runs of a node took. A node that ran once, by a worker, also has the fields of `JobMetrics`.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(crate) struct NodeMetrics {
    /// Its runs; more than one inside loops.
    runs: u64,
    completed: u64,
    /// Failed, or out of time.
    failed: u64,
    /// From queued or started to ended, milliseconds, all runs together.
    duration_ms: u64,
    #[serde(flatten)]
    measured: Map<String, Value>,
}

/// By node.
pub(crate) fn of_nodes(nodes: &[NodeView]) -> Value {
    let mut by_node: BTreeMap<&str, NodeMetrics> = BTreeMap::new();
    for node in nodes {
        by_node.entry(node.node_id.as_str()).or_default().add(node);
    }
    json!(by_node)
}

impl NodeMetrics {
    fn add(&mut self, node: &NodeView) {
        self.runs += 1;
        self.completed += u64::from(node.status == NodeStatus::Completed);
        self.failed += u64::from(matches!(node.status, NodeStatus::Failed | NodeStatus::TimedOut));
        self.duration_ms += node.duration_ms().unwrap_or(0);
        self.measured = match (self.runs, json!(node.metrics)) {
            (1, Value::Object(measured)) => measured,
            _ => Map::new(),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_counted_and_what_one_measured_is_told() {
        let view = |node: &str, path: &str, status: &str| -> NodeView {
            let times = json!({"node_id": node, "path": path, "block": "crop@1", "status": status, "attempt": 1,
                "queued_at": 10, "started_at": 12, "completed_at": 17});
            serde_json::from_value(times).unwrap()
        };
        let mut once = view("look", "", "completed");
        once.metrics = Some(millrace_contracts::JobMetrics { batch_size: 4, ..Default::default() });
        let mut nodes: Vec<NodeView> = vec![once.clone(), view("wait", "", "running")];
        nodes[1].completed_at = None;
        for (item, status) in ["completed", "failed", "timed_out", "skipped"].iter().enumerate() {
            nodes.push(NodeView {
                metrics: once.metrics.clone(),
                ..view("each", &format!("[{item}]"), status)
            });
        }
        let told = of_nodes(&nodes);
        assert_eq!((&told["look"]["runs"], &told["look"]["batch_size"]), (&json!(1), &json!(4)));
        assert_eq!(told["look"]["duration_ms"], 5);
        assert_eq!(told["each"], json!({"runs": 4, "completed": 1, "failed": 2, "duration_ms": 20}));
        assert_eq!(told["wait"], json!({"runs": 1, "completed": 0, "failed": 0, "duration_ms": 0}));
    }
}
