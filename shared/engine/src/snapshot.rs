//! The state of a run as clients see it, read from the stored records without the workflow.

use std::collections::HashMap;

use millrace_contracts::message::Accepted;
use millrace_contracts::run::{NodeView, Snapshot};

use crate::load::{LoadError, from_json};
use crate::record::{ACCEPTED, META, Meta, NODE_PREFIX, NodeRecord, OUTPUTS};

/// Stored records that do not make a snapshot.
pub type SnapshotError = LoadError;

/// The snapshot that `fields` hold, with at most `max_nodes` node runs: those outside loops first, then items in order.
///
/// # Errors
/// A record is missing or damaged.
pub fn snapshot(fields: &HashMap<String, Vec<u8>>, max_nodes: usize) -> Result<Snapshot, SnapshotError> {
    let accepted: Accepted = from_json(ACCEPTED, fields.get(ACCEPTED).ok_or(LoadError::Missing(ACCEPTED))?)?;
    let meta: Meta = from_json(META, fields.get(META).ok_or(LoadError::Missing(META))?)?;
    let outputs = fields.get(OUTPUTS).map(|bytes| from_json(OUTPUTS, bytes)).transpose()?;
    let mut nodes = Vec::new();
    for (field, bytes) in fields.iter().filter(|(field, _)| field.starts_with(NODE_PREFIX)) {
        nodes.push(from_json::<NodeRecord>(field, bytes)?.view());
    }
    nodes.sort_by(|a, b| {
        let order = |view: &NodeView| (view.path.depth(), view.path.clone());
        let begun = |view: &NodeView| view.started_at.or(view.completed_at);
        (order(a), begun(a), &a.node_id).cmp(&(order(b), begun(b), &b.node_id))
    });
    let nodes_omitted = nodes.len().saturating_sub(max_nodes) as u64;
    nodes.truncate(max_nodes);
    Ok(Snapshot {
        execution_id: accepted.execution_id,
        workflow_id: accepted.workflow_id,
        status: meta.status,
        epoch: meta.epoch,
        seq: meta.seq,
        progress: meta.progress,
        created_at: accepted.created_at,
        started_at: meta.started_at,
        completed_at: meta.completed_at,
        outputs,
        error: meta.error,
        nodes,
        nodes_omitted,
    })
}
