//! The stored form of a run: one small record for the run, one per node run, one per open loop.

use std::collections::BTreeMap;

use millrace_contracts::job::JobMetrics;
use millrace_contracts::run::{NodeView, Progress};
use millrace_contracts::{
    ExecutionId, ExecutionStatus, ItemPath, JobError, ModelDigest, ModelId, NodeId, NodeStatus, UnixMillis,
    WorkerId,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::effects::Effects;
use crate::execution::Execution;

/// Stored fields by name: what a commit sets.
pub type Fields = Vec<(String, Vec<u8>)>;

pub(crate) const META: &str = "meta";
pub(crate) const ACCEPTED: &str = "accepted";
pub(crate) const OUTPUTS: &str = "outputs";
pub(crate) const NODE_PREFIX: &str = "n:";
pub(crate) const LOOP_PREFIX: &str = "s:";
pub(crate) const HISTORY_PREFIX: &str = "h:";

/// The run's own record, rewritten with every commit; so it is small.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Meta {
    /// Where the run stands.
    pub status: ExecutionStatus,
    /// The log's epoch.
    pub epoch: u32,
    /// The last durable event.
    pub seq: u64,
    /// Counts of node runs.
    pub progress: Progress,
    /// The copy of each model that the run works with, from the first result on.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub models: BTreeMap<ModelId, ModelDigest>,
    /// Jobs queued or running.
    pub jobs_pending: u64,
    /// Jobs that completed.
    pub jobs_completed: u64,
    /// Jobs that failed, attempts included.
    pub jobs_failed: u64,
    /// When it started.
    pub started_at: Option<UnixMillis>,
    /// When it ended.
    pub completed_at: Option<UnixMillis>,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<JobError>,
}

impl Meta {
    /// Name of the field that holds it.
    pub const FIELD: &str = META;
}

/// What a node's failure was turned into, when the run went on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Handled {
    /// What depends on it is skipped.
    Skip,
    /// Its outputs took the default values.
    Default,
    /// The loop item failed, and the loop tolerates that.
    Item,
}

/// One node run as it is stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NodeRecord {
    /// The node.
    pub node_id: NodeId,
    /// Its place.
    #[serde(default)]
    pub path: ItemPath,
    /// The block, `crop@1`.
    pub block: String,
    /// Where it stands.
    pub status: NodeStatus,
    /// Attempts begun.
    pub attempt: u32,
    /// Output ports.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outputs: Option<Map<String, Value>>,
    /// Output ports that were not taken.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub skipped_ports: Vec<String>,
    /// Things worth knowing that did not stop it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
    /// The last failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<JobError>,
    /// What the failure was turned into.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handled: Option<Handled>,
    /// Where the time went.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metrics: Option<JobMetrics>,
    /// When the current attempt was queued.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queued_at: Option<UnixMillis>,
    /// When a worker took it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<UnixMillis>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completed_at: Option<UnixMillis>,
    /// When the back-off or the delay that it waits in ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<UnixMillis>,
    /// Who had it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worker_id: Option<WorkerId>,
    /// The run whose result this is, where it was not made in this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<ExecutionId>,
    /// Whether the current attempt is a job at a pool (and not a back-off or a delay).
    #[serde(default)]
    pub at_pool: bool,
    /// Whether its next attempt is due and waits for a place under `max_concurrency`.
    #[serde(default)]
    pub in_line: bool,
}

impl NodeRecord {
    pub(crate) fn new(node_id: NodeId, path: ItemPath, block: String) -> Self {
        Self {
            node_id,
            path,
            block,
            status: NodeStatus::Pending,
            attempt: 0,
            outputs: None,
            skipped_ports: Vec::new(),
            warnings: Vec::new(),
            error: None,
            handled: None,
            metrics: None,
            queued_at: None,
            started_at: None,
            completed_at: None,
            due: None,
            worker_id: None,
            origin: None,
            at_pool: false,
            in_line: false,
        }
    }

    /// Name of the field that holds the record of the node run at `path`.
    #[must_use]
    pub fn field(node: &NodeId, path: &ItemPath) -> String {
        node_field(node, path)
    }

    /// The node run as clients see it.
    #[must_use]
    pub fn view(&self) -> NodeView {
        NodeView {
            node_id: self.node_id.clone(),
            path: self.path.clone(),
            block: self.block.clone(),
            status: self.status,
            attempt: self.attempt,
            outputs: self.outputs.clone(),
            error: self.error.clone(),
            metrics: self.metrics.clone(),
            queued_at: self.queued_at,
            started_at: self.started_at,
            completed_at: self.completed_at,
            worker_id: self.worker_id.clone(),
            skipped_ports: self.skipped_ports.clone(),
            origin: self.origin,
        }
    }
}

/// What the record kept of a node run, as the engine takes it up again.
impl From<NodeView> for NodeRecord {
    fn from(view: NodeView) -> Self {
        Self {
            status: view.status,
            attempt: view.attempt,
            outputs: view.outputs,
            error: view.error,
            metrics: view.metrics,
            queued_at: view.queued_at,
            started_at: view.started_at,
            completed_at: view.completed_at,
            worker_id: view.worker_id,
            skipped_ports: view.skipped_ports,
            origin: view.origin,
            ..Self::new(view.node_id, view.path, view.block)
        }
    }
}

/// A loop as it is stored; the rest follows from the node runs inside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LoopRecord {
    pub(crate) total: u32,
}

pub(crate) fn node_field(node: &NodeId, path: &ItemPath) -> String {
    format!("{NODE_PREFIX}{node}{path}")
}

pub(crate) fn history_field(node: &NodeId, path: &ItemPath) -> String {
    format!("{HISTORY_PREFIX}{node}{path}")
}

impl Execution {
    /// The records that `effects` changed, ready to be stored.
    #[must_use]
    pub fn changed_fields(&self, effects: &Effects) -> Fields {
        let mut fields = vec![(META.to_owned(), to_json(&self.meta))];
        if effects.first {
            fields.push((ACCEPTED.to_owned(), to_json(&self.accepted)));
            // What was not adopted at once may be later, by whoever holds the run then.
            for record in self.history.values() {
                fields.push((history_field(&record.node_id, &record.path), to_json(record)));
            }
        }
        if self.meta.status == ExecutionStatus::Completed {
            fields.push((OUTPUTS.to_owned(), to_json(&self.outputs())));
        }
        for key in &effects.changed_nodes {
            let record = &self.nodes[key];
            fields.push((node_field(&record.node_id, &record.path), to_json(record)));
        }
        for opener in &effects.opened_loops {
            let id = &self.plan.node(opener.node).id;
            let record = LoopRecord { total: self.loops[opener].total };
            fields.push((format!("{LOOP_PREFIX}{id}{}", opener.path), to_json(&record)));
        }
        fields
    }
}

fn to_json<T: Serialize>(record: &T) -> Vec<u8> {
    serde_json::to_vec(record).expect("records are plain data with text keys")
}
