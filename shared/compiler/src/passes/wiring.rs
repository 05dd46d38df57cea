//! Wiring: the input ports a node is given against those its block has.

use millrace_contracts::fault::pointer_token;
use millrace_contracts::{Fault, Kind};

use crate::codes;
use crate::draft::{Draft, DraftNode};
use crate::suggest::did_you_mean;

/// Checks names and presence of every node's inputs.
pub(crate) fn run(draft: &mut Draft<'_>) {
    for node in &mut draft.nodes {
        let Some(block) = node.block else { continue };
        let mut faults = Vec::new();
        for position in 0..node.inputs.len() {
            let (kind, required) = match block.input(&node.inputs[position].port) {
                Some(port) => (port.kinds[0].clone(), port.required),
                // A further input of a first_of may be skipped: joining branches is what it is for.
                None => (block.further_inputs.clone().unwrap_or(Kind::Any), block.name != "first_of"),
            };
            let known = block.further_inputs.is_some() || block.input(&node.inputs[position].port).is_some();
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

fn unknown(node: &DraftNode<'_>, port: &str) -> Fault {
    let block = node.block.expect("only nodes of known blocks are wired");
    let pointer = format!("/inputs/{}", pointer_token(port));
    let mut fault =
        node.fault(codes::UNKNOWN_INPUT, &pointer, format!("{} has no input {port:?}", block.name));
    fault.hint = did_you_mean(port, block.inputs.iter().map(|port| port.name))
        .or_else(|| Some(format!("{} takes no inputs", block.name)));
    fault
}
