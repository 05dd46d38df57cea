//! Wiring: the input ports a node is given against those its block has.

use std::collections::BTreeMap;

use millrace_blocks::block::Subject;
use millrace_blocks::{Block, InputPort, Placed, Runner};
use millrace_contracts::fault::pointer_token;
use millrace_contracts::{Fault, Kind};

use crate::codes;
use crate::draft::{Draft, DraftInput, DraftNode, Frame, Reference, Role, Shape, Target};
use crate::suggest::did_you_mean;

/// Checks names and presence of every node's inputs.
pub(crate) fn run(draft: &mut Draft<'_>) {
    for position in 0..draft.nodes.len() {
        if draft.nodes[position].is_call() {
            wire_call(draft, position);
            continue;
        }
        let of_pictures = draft.nodes[position].inputs.iter().map(|input| is_optional_picture(draft, input));
        let of_pictures = of_pictures.collect::<Vec<_>>();
        let node = &mut draft.nodes[position];
        let Some(block) = node.block else { continue };
        let mut faults = Vec::new();
        let one_of = one_of(node, block);
        for (position, of_picture) in of_pictures.into_iter().enumerate() {
            let port = block.input(&node.inputs[position].port);
            let kind = port.map_or_else(|| block.further_inputs.clone(), |port| port.kinds.first().cloned());
            let required = port.map_or_else(
                || !of_picture && further_required(node, block),
                |port| is_needed(node, block, port),
            );
            let kind = kind.unwrap_or(Kind::Any);
            let known = port.is_some() || block.further_inputs.is_some();
            if !known {
                faults.push(unknown(node, &node.inputs[position].port));
            }
            let input = &mut node.inputs[position];
            (input.kind, input.required) = (kind, required);
            input.one_of = port.is_some_and(|port| one_of.contains(&port.name));
        }
        for port in block.inputs.iter().filter(|port| port.required) {
            if !node.inputs.iter().any(|input| input.port == port.name) {
                let message = format!("{} needs the input `{}`", block.name, port.name);
                let hint = format!("{} Wire {} to it.", port.help, a(&port.kinds[0]));
                let pointer = format!("/inputs/{}", port.name);
                faults.push(node.fault(codes::MISSING_INPUT, &pointer, message).hint(hint));
            }
        }
        draft.faults.0.extend(faults);
    }
}

/// A call's inputs are the input nodes of the workflow it calls.
fn wire_call(draft: &mut Draft<'_>, position: usize) {
    let node = &draft.nodes[position];
    let Some(frame) = draft.inside(node) else { return };
    let mut faults = Vec::new();
    let argument = |input: &DraftInput| match draft.argument(node, &input.port) {
        Some(argument) => (argument_kind(argument), is_required(argument)),
        None => (Kind::Any, true),
    };
    let wanted = node.inputs.iter().map(argument).collect::<Vec<_>>();
    for input in node.inputs.iter().filter(|input| draft.argument(node, &input.port).is_none()) {
        let pointer = format!("/inputs/{}", pointer_token(&input.port));
        let message = format!("the called workflow has no input {:?}", input.port);
        let mut fault = node.fault(codes::UNKNOWN_INPUT, &pointer, message);
        fault.hint = did_you_mean(
            &input.port,
            arguments(draft, frame).map(|argument| argument.name).collect::<Vec<_>>(),
        )
        .or_else(|| Some("the called workflow takes no inputs".to_owned()));
        faults.push(fault);
    }
    for argument in arguments(draft, frame).filter(|argument| is_required(argument)) {
        if !node.inputs.iter().any(|input| input.port == argument.name) {
            let message = format!("the called workflow needs the input `{}`", argument.name);
            let hint = format!("wire {} to it", a(&argument_kind(argument)));
            let pointer = format!("/inputs/{}", argument.name);
            faults.push(node.fault(codes::MISSING_INPUT, &pointer, message).hint(hint));
        }
    }
    draft.faults.0.extend(faults);
    for (input, wanted) in draft.nodes[position].inputs.iter_mut().zip(wanted) {
        (input.kind, input.required) = wanted;
    }
}

/// The input nodes of a called workflow.
fn arguments<'d, 'a>(draft: &'d Draft<'a>, frame: &'d Frame<'a>) -> impl Iterator<Item = &'d DraftNode<'a>> {
    let named = frame.by_id.values().map(|&position| &draft.nodes[position]);
    let mut arguments = named.filter(|node| node.role == Role::Argument).collect::<Vec<_>>();
    arguments.sort_unstable_by_key(|argument| argument.position);
    arguments.into_iter()
}

/// The kind of value an input node takes.
fn argument_kind(argument: &DraftNode<'_>) -> Kind {
    let placed = Placed { config: &argument.settings, inputs: &BTreeMap::new() };
    let ports = argument.block.map(|block| block.outputs_at(&placed)).unwrap_or_default();
    ports.into_iter().next().map_or(Kind::Any, |port| port.kind)
}

/// Whether a call must give it: a parameter without a default, and a picture unless it says otherwise.
fn is_required(argument: &DraftNode<'_>) -> bool {
    match argument.settings.get("required") {
        Some(required) => required.as_bool().unwrap_or(true),
        None => argument.settings.get("default").is_none_or(serde_json::Value::is_null),
    }
}

/// Whether a skipped source skips the node: for a required port, and for an optional one that the node cannot do without as
/// it is wired and set, as `crop` its detections in mode detections, or `draw_masks` its masks where it is given no more.
fn is_needed(node: &DraftNode<'_>, block: &Block, port: &InputPort) -> bool {
    port.required || lacks_input(node, block, &[port.name])
}

/// The optional ports of which the node needs one, as `blur_region` its detections or its masks where it is given both. With all
/// of their sources skipped the node is: a picture with nothing hidden would be made.
fn one_of(node: &DraftNode<'_>, block: &Block) -> Vec<&'static str> {
    let is_wired = |port: &&InputPort| node.inputs.iter().any(|input| input.port == port.name);
    let ports = block.inputs.iter().filter(is_wired).filter(|port| !is_needed(node, block, port));
    let mut found = ports.map(|port| port.name).collect::<Vec<_>>();
    if found.len() < 2 || !lacks_input(node, block, &found) {
        return Vec::new();
    }
    // What makes no difference is none of them.
    for port in found.clone() {
        let others = found.iter().copied().filter(|other| *other != port).collect::<Vec<_>>();
        if lacks_input(node, block, &others) {
            found = others;
        }
    }
    found
}

/// Whether the node, as it is set, would lack an input without these.
fn lacks_input(node: &DraftNode<'_>, block: &Block, without: &[&str]) -> bool {
    let Some(check) = block.check else { return false };
    let others = node.inputs.iter().filter(|input| !without.contains(&input.port.as_str()));
    let inputs = others.map(|input| (input.port.clone(), Kind::Any)).collect();
    let problems = check(&Placed { config: &node.settings, inputs: &inputs });
    problems.into_iter().any(|problem| matches!(problem.subject, Subject::MissingInput(_)))
}

/// Whether an input is read straight from an `image_input` that may be left out. As a further input null says that it was: an
/// expression can ask for it, and an output tells it.
fn is_optional_picture(draft: &Draft<'_>, input: &DraftInput) -> bool {
    let Shape::Select(Reference { target: Target::Input(source) | Target::Port(source, _), .. }) =
        &input.shape
    else {
        return false;
    };
    let source = &draft.nodes[*source];
    source.is("image_input") && !is_required(source)
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

/// A value of this kind, in words.
fn a(kind: &Kind) -> String {
    match kind {
        Kind::Any => "a value".to_owned(),
        Kind::Detections | Kind::Segments => kind.to_string(),
        kind => {
            let name = kind.to_string();
            let article = if name.starts_with(['a', 'e', 'i', 'o']) { "an" } else { "a" };
            format!("{article} {name}")
        }
    }
}
