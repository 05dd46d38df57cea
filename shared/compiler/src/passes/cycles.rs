//! Cycles: an order of the nodes, upstream first, without recursion; what cannot be ordered is named.

use std::collections::VecDeque;

use crate::codes;
use crate::draft::{Draft, DraftNode, Position};

/// Node ids spelled out in the message of a cycle.
const NAMED: usize = 12;

/// Orders the nodes and reports every cycle.
pub(crate) fn run(draft: &mut Draft<'_>) {
    let upstream = draft.nodes.iter().map(|node| distinct_upstream(draft, node)).collect::<Vec<_>>();
    let mut waiting_for = upstream.iter().map(Vec::len).collect::<Vec<_>>();
    let mut downstream = vec![Vec::new(); upstream.len()];
    for (node, sources) in upstream.iter().enumerate() {
        sources.iter().for_each(|&source| downstream[source].push(node));
    }
    let ready = |(node, waits): (Position, &usize)| (*waits == 0).then_some(node);
    let mut queue = waiting_for.iter().enumerate().filter_map(ready).collect::<VecDeque<_>>();
    let mut order = Vec::with_capacity(upstream.len());
    while let Some(node) = queue.pop_front() {
        order.push(node);
        for &next in &downstream[node] {
            waiting_for[next] -= 1;
            if waiting_for[next] == 0 {
                queue.push_back(next);
            }
        }
    }
    draft.order = order;
    if draft.order.len() < upstream.len() {
        report(draft, &upstream, &waiting_for);
    }
}

fn distinct_upstream<'a>(draft: &Draft<'a>, node: &DraftNode<'a>) -> Vec<Position> {
    let mut sources = draft.upstream(node);
    sources.sort_unstable();
    sources.dedup();
    sources
}

/// Walks upstream from every node left over. Each is walked once; a walk that meets itself is a cycle.
fn report(draft: &mut Draft<'_>, upstream: &[Vec<Position>], waiting_for: &[usize]) {
    // 0: not walked; otherwise the number of the walk that came by.
    let mut walked = vec![0_usize; upstream.len()];
    for start in 0..upstream.len() {
        let mut path = Vec::new();
        let mut node = start;
        while waiting_for[node] > 0 && walked[node] == 0 {
            walked[node] = start + 1;
            path.push(node);
            let stuck = upstream[node].iter().copied().find(|&source| waiting_for[source] > 0);
            node = stuck.expect("a node that waits has a source that waits");
        }
        if waiting_for[node] > 0 && walked[node] == start + 1 {
            let first = path.iter().position(|&other| other == node).expect("the walk came by this node");
            let fault = cycle(draft, &path[first..]);
            draft.faults.push(fault);
        }
    }
}

/// The fault of one cycle, given as nodes each of which reads from the next.
fn cycle(draft: &Draft<'_>, reading: &[Position]) -> millrace_contracts::Fault {
    // Told in the direction of the data, from the node that comes first in the document.
    let first = (0..reading.len()).min_by_key(|&place| reading[place]).unwrap_or(0);
    let along = (0..=reading.len()).map(|step| reading[(first + reading.len() * 2 - step) % reading.len()]);
    let mut names = along.map(|node| draft.nodes[node].id.to_string()).collect::<Vec<_>>();
    if names.len() > NAMED {
        let last = names.pop().unwrap_or_default();
        names.truncate(NAMED - 1);
        names.extend(["…".to_owned(), last]);
    }
    let node = &draft.nodes[reading[first]];
    let back = reading[(first + 1) % reading.len()];
    let references = node.references();
    let edge = references.iter().find(|reference| node.node_of(&reference.target) == Some(back));
    let pointer = edge.map_or(String::new(), |reference| reference.pointer.clone());
    node.fault(codes::CYCLE, &pointer, format!("these nodes wait for each other: {}", names.join(" → ")))
        .hint("cut one of these edges; a for_each repeats work without a cycle")
}
