//! Which filters look at detections that have the fields of a detection and no others: those that a worker made. What a run is
//! given, what stands in the definition, and what an expression made may have more.

use millrace_blocks::Runner;
use millrace_contracts::Kind;
use millrace_contracts::definition::OnError;

use crate::draft::{Draft, DraftNode, Position, Shape, Target};

/// By position: whether the node is a filter over such detections.
pub(super) fn over_detections(draft: &Draft<'_>) -> Vec<bool> {
    // Whether what a node gives as detections is such, and whether it is such a filter.
    let (mut makes, mut looks) = (vec![false; draft.nodes.len()], vec![false; draft.nodes.len()]);
    for &position in &draft.order {
        let node = &draft.nodes[position];
        looks[position] = node.is("filter") && items(draft, node).is_some_and(|source| makes[source]);
        let by_worker = node.block.is_some_and(|block| matches!(block.runner, Runner::Worker { .. }));
        makes[position] = (by_worker || looks[position]) && !has_fallback(node);
    }
    looks
}

/// The node whose detections are a filter's `items`.
fn items(draft: &Draft<'_>, filter: &DraftNode<'_>) -> Option<Position> {
    let input = filter.inputs.iter().find(|input| input.port == "items")?;
    let Shape::Select(reference) = &input.shape else { return None };
    let Target::Port(source, port) = &reference.target else { return None };
    let given = draft.nodes[*source].outputs.iter().find(|output| output.name == port.as_str())?;
    (given.kind == Kind::Detections).then_some(*source)
}

/// Whether the definition says what the node gives where it fails.
fn has_fallback(node: &DraftNode<'_>) -> bool {
    node.policy.as_ref().is_none_or(|policy| matches!(policy.on_error, OnError::Default(_)))
}
