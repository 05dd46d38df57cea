//! Which results of an earlier run a rerun takes over: all but those of the node it begins at, and of what depends on that.

use std::collections::HashSet;

use millrace_compiler::plan::{NodeIndex, Plan, entrance_of};
use millrace_contracts::{ExecutionId, NodeId};

use crate::record::NodeRecord;

/// The records of `earlier`, an execution of the same `plan`, that a rerun from node `from` need not make again; each says
/// where it comes from. `from` may name a call: then everything inside it is made again.
///
/// None when the plan has no such node.
#[must_use]
pub fn reusable(
    plan: &Plan,
    from: &NodeId,
    earlier: ExecutionId,
    records: Vec<NodeRecord>,
) -> Option<Vec<NodeRecord>> {
    let again = made_again(plan, from)?;
    let kept = |record: &NodeRecord| plan.find(&record.node_id).is_some_and(|node| !again.contains(&node));
    let from_there = |record: NodeRecord| NodeRecord { origin: record.origin.or(Some(earlier)), ..record };
    Some(records.into_iter().filter(kept).map(from_there).collect())
}

/// The node itself and everything that reads from it, however far.
fn made_again(plan: &Plan, from: &NodeId) -> Option<HashSet<NodeIndex>> {
    let node = plan.find(from)?;
    // What is inside a call waits for its entrance.
    let mut left = vec![node];
    left.extend(plan.find(&entrance_of(from)));
    let mut found: HashSet<NodeIndex> = left.iter().copied().collect();
    while let Some(node) = left.pop() {
        left.extend(plan.node(node).downstream.iter().copied().filter(|next| found.insert(*next)));
    }
    Some(found)
}
