//! Responses: at most one `api_response` may answer a run. Two are in order when a branch that one of them needs is the
//! branch that the other one does not get.

use std::collections::{HashMap, HashSet};

use millrace_blocks::outputs::api_response;
use serde_json::Value;

use crate::codes;
use crate::draft::{Draft, DraftNode, FrameIndex, Position, Shape, Target};
use crate::logic;

/// More of them in one workflow are a mistake, and every pair is looked at.
const MOST: usize = 64;

/// The output ports of `condition`s and `switch`es without which a node does not run.
type Branches<'d> = HashMap<Position, HashSet<&'d str>>;

/// Checks every `api_response`.
pub(crate) fn run(draft: &mut Draft<'_>) {
    let mut responses = draft.order.clone();
    responses.retain(|&position| draft.nodes[position].is(api_response::NAME));
    responses.sort_unstable();
    let mut faults = Vec::new();
    for node in responses.iter().map(|&position| &draft.nodes[position]) {
        faults.extend(literal_status(node));
        if node.frame != OUTERMOST {
            let message = "an api_response answers the request that started the run, and a call is none";
            let hint = "give the value by a json_output here, and answer with it in the calling workflow";
            faults.push(node.fault(codes::RESPONSE_IN_CALL, "/type", message).hint(hint));
        }
    }
    responses.retain(|&position| draft.nodes[position].frame == OUTERMOST);
    faults.extend(ambiguous(draft, &responses));
    draft.faults.0.extend(faults);
}

/// The definition's own frame.
const OUTERMOST: FrameIndex = 0;

fn literal_status(node: &DraftNode<'_>) -> Option<millrace_contracts::Fault> {
    let input = node.inputs.iter().find(|input| input.port == "status")?;
    let Shape::Literal(value @ Value::Number(_)) = &input.shape else { return None };
    let wrong = logic::api_response::status(Some(value)).err()?;
    Some(node.fault(codes::INVALID_INPUT, "/inputs/status", wrong.message))
}

/// A fault for each response that may answer beside an earlier one.
fn ambiguous(draft: &Draft<'_>, responses: &[Position]) -> Vec<millrace_contracts::Fault> {
    let mut faults = Vec::new();
    let mut earlier: Vec<(Position, Branches<'_>)> = Vec::new();
    for &position in responses {
        let node = &draft.nodes[position];
        if earlier.len() == MOST {
            let message = format!("a workflow may have {MOST} api_responses at most");
            faults.push(node.fault(codes::AMBIGUOUS_RESPONSE, "/type", message));
            break;
        }
        let own = branches(draft, position);
        if let Some((other, _)) = earlier.iter().find(|(_, branches)| !exclude(branches, &own)) {
            let other = draft.nodes[*other].name;
            let message = format!("`{}` and `{other}` may both answer one run", node.name);
            let hint = "feed them from different ports of one condition or switch, or join what they say with a first_of";
            faults.push(node.fault(codes::AMBIGUOUS_RESPONSE, "/inputs/body", message).hint(hint));
        }
        earlier.push((position, own));
    }
    faults
}

/// Whether two nodes that need these branches never run both.
fn exclude(one: &Branches<'_>, other: &Branches<'_>) -> bool {
    one.iter().any(|(branch, ports)| other.get(branch).is_some_and(|others| ports.is_disjoint(others)))
}

/// The branches that a node needs, over all the nodes it needs.
fn branches<'d>(draft: &'d Draft<'_>, start: Position) -> Branches<'d> {
    let mut found = Branches::new();
    let (mut open, mut seen) = (vec![start], HashSet::from([start]));
    while let Some(position) = open.pop() {
        let node = &draft.nodes[position];
        let mut targets = Vec::new();
        for input in node.inputs.iter().filter(|input| input.required) {
            input.shape.visit(&mut |reference| targets.push(&reference.target));
        }
        node.config.visit(&mut |reference| targets.push(&reference.target));
        for target in targets {
            let Some(source) = node.node_of(target) else { continue };
            let from = &draft.nodes[source];
            if let Target::Port(_, port) = target
                && (from.is("condition") || from.is("switch"))
            {
                found.entry(source).or_default().insert(port);
            }
            // These run without some of what they read from.
            let joins = from.is("first_of") || from.is("collect");
            if !joins && seen.insert(source) {
                open.push(source);
            }
        }
    }
    found
}
