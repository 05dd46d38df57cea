//! Chains: which transform may go to a worker together with the one before it. It must be as if nobody noticed: whoever else
//! waits for the first of the two waits for the second as well, so that nothing begins later than it would have.

use crate::plan::{Action, NodeIndex, PlanNode};

/// Notes for each node the one that may follow it in the same job. `transforms` says of each whether it is of a kind that may.
pub(crate) fn run(nodes: &mut [PlanNode], transforms: &[bool]) {
    for place in 0..nodes.len() {
        nodes[place].next = follower(nodes, transforms, place);
    }
}

fn follower(nodes: &[PlanNode], transforms: &[bool], place: usize) -> Option<NodeIndex> {
    let node = &nodes[place];
    // The outputs of a run are read at its end, and a loop's when it has ended; neither is held up.
    let readers = node.downstream.iter().filter(|reader| !is_end(&nodes[reader.0 as usize].action));
    let mut readers = readers.copied();
    // Upstream comes before downstream: if all others wait for one of them, it is the first.
    let first = readers.next()?;
    let next = &nodes[first.0 as usize];
    let fits = transforms[place]
        && transforms[first.0 as usize]
        && next.scope == node.scope
        && next.policy.pool == node.policy.pool
        && next.policy.priority == node.policy.priority;
    let waits = |reader: NodeIndex| nodes[reader.0 as usize].upstream.binary_search(&first).is_ok();
    (fits && readers.all(waits)).then_some(first)
}

fn is_end(action: &Action) -> bool {
    matches!(action, Action::Output | Action::Respond | Action::Collect(_))
}
