//! Wiring: the input ports a node is given against those its block has.

use millrace_blocks::block::Subject;
use millrace_blocks::{Block, InputPort, Placed, Runner};
use millrace_contracts::fault::pointer_token;
use millrace_contracts::{Fault, Kind};

use crate::codes;
use crate::draft::{Draft, DraftNode, Shape};
use crate::suggest::did_you_mean;

/// Checks names and presence of every node's inputs.
pub(crate) fn run(draft: &mut Draft<'_>) {
    for node in &mut draft.nodes {
        let Some(block) = node.block else { continue };
        let mut faults = Vec::new();
        for position in 0..node.inputs.len() {
            let port = block.input(&node.inputs[position].port);
            let kind = port.map_or_else(|| block.further_inputs.clone(), |port| port.kinds.first().cloned());
            let required =
                port.map_or_else(|| further_required(node, block), |port| is_needed(node, block, port));
            let kind = kind.unwrap_or(Kind::Any);
            let known = port.is_some() || block.further_inputs.is_some();
            if !known {
                faults.push(unknown(node, &node.inputs[position].port));
            }
            let input = &mut node.inputs[position];
            (input.kind, input.required) = (kind, required);
        }
        for port in block.inputs.iter().filter(|port| port.required) {
            if !node.inputs.iter().any(|input| input.port == port.name) {
                let message = format!("{} needs the input `{}`", block.name, port.name);
                let hint = format!("{} Wire a {} to it.", port.help, port.kinds[0]);
                let pointer = format!("/inputs/{}", port.name);
                faults.push(node.fault(codes::MISSING_INPUT, &pointer, message).hint(hint));
            }
        }
        draft.faults.0.extend(faults);
    }
}

/// Whether a skipped source skips the node: for a required port, and for an optional one that these settings need, as
/// `crop` needs its detections in mode detections.
fn is_needed(node: &DraftNode<'_>, block: &Block, port: &InputPort) -> bool {
    let without = || {
        let others = node.inputs.iter().filter(|input| input.port != port.name);
        let inputs = others.map(|input| (input.port.clone(), Kind::Any)).collect();
        let problems = block.check.map(|check| check(&Placed { config: &node.settings, inputs: &inputs }));
        problems
            .unwrap_or_default()
            .into_iter()
            .any(|problem| problem.subject == Subject::MissingInput(port.name))
    };
    port.required || without()
}

/// Whether a skipped source of a further input skips the node. Joining what may be skipped is what a `first_of` is for;
/// an output of several values gives null for a skipped one, and is skipped with its only one.
fn further_required(node: &DraftNode<'_>, block: &Block) -> bool {
    match block.runner {
        Runner::Output => {
            node.inputs.iter().filter(|input| !matches!(input.shape, Shape::Literal(_))).count() <= 1
        }
        _ => block.name != "first_of",
    }
}

fn unknown(node: &DraftNode<'_>, port: &str) -> Fault {
    let block = node.block.expect("only nodes of known blocks are wired");
    let pointer = format!("/inputs/{}", pointer_token(port));
    let mut fault =
        node.fault(codes::UNKNOWN_INPUT, &pointer, format!("{} has no input {port:?}", block.name));
    fault.hint = did_you_mean(port, block.inputs.iter().map(|port| port.name))
        .or_else(|| Some(format!("{} takes no inputs", block.name)));
    fault
}
