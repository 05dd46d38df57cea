//! Calls: the nodes of every `sub_workflow`'s workflow, read into a frame of their own. A call takes its inputs where it
//! stands in the document; its exit, behind it, gives its outputs; what is inside waits for the call and is skipped with it.

use std::sync::Arc;

use millrace_blocks::logic::sub_workflow::{Config, NAME};
use millrace_blocks::ports::is_selector;
use millrace_contracts::Fault;
use millrace_contracts::fault::pointer_token;
use serde_json::Value;

use super::{parse, resolve};
use crate::codes;
use crate::draft::{Draft, DraftNode, Frame, Position, Role};
use crate::limits::{MAX_CALL_DEPTH, MAX_NODES};
use crate::suggest::did_you_mean;

/// Expands every call, those inside of called workflows too.
pub(crate) fn run(draft: &mut Draft<'_>) {
    let mut position = 0;
    // What a call adds stands behind it, and is come to later.
    while position < draft.nodes.len() {
        if draft.nodes[position].is(NAME) && draft.nodes[position].role == Role::Plain {
            expand(draft, position);
        }
        position += 1;
    }
}

fn expand(draft: &mut Draft<'_>, call: Position) {
    let found = match find(draft, call) {
        Ok(found) => found,
        Err(fault) => {
            draft.faults.0.extend(fault.map(|fault| *fault));
            None
        }
    };
    let exit = draft.nodes.len();
    let (name, frame) = (draft.nodes[call].name, draft.nodes[call].frame);
    let pointer = draft.nodes[call].pointer.to_string();
    let node = parse::blank(draft, (frame, pointer), name, &parse::NOTHING);
    draft.nodes.push(DraftNode { role: Role::Exit { call }, ..node });
    let inside = found.map(|found| enter(draft, call, found));
    draft.nodes[call].role = Role::Call { exit, inside };
}

/// A workflow that a call names, and where it stands.
struct Found<'a> {
    workflow: &'a Value,
    /// Its name without a version.
    name: &'a str,
    pointer: Arc<str>,
    /// How many of the frame's libraries it sees: its own one and those around it.
    libraries: usize,
}

/// Reads the workflow's nodes, into a frame of their own.
fn enter<'a>(draft: &mut Draft<'a>, call: Position, found: Found<'a>) -> usize {
    let (frame, first) = (draft.frames.len(), draft.nodes.len());
    let around = &draft.frames[draft.nodes[call].frame];
    let mut chain = around.chain.clone();
    chain.push((found.workflow, found.name));
    draft.frames.push(Frame {
        pointer: found.pointer,
        by_id: Default::default(),
        call: Some(call),
        results: Vec::new(),
        libraries: around.libraries[..found.libraries].to_vec(),
        chain,
    });
    parse::workflow(draft, found.workflow, frame);
    resolve::run(draft, first);
    let mut results = Vec::new();
    for node in &mut draft.nodes[first..] {
        if node.is_input() {
            node.role = Role::Argument;
        } else if node.is("json_output") {
            node.role = Role::Result;
            results.push(node.position);
        }
    }
    draft.frames[frame].results = results;
    frame
}

/// What a refused call is told; nothing when the schema of its configuration says so already.
type Refusal = Option<Box<Fault>>;

fn find<'a>(draft: &Draft<'a>, call: Position) -> Result<Option<Found<'a>>, Refusal> {
    let node = &draft.nodes[call];
    let given = node.source.get("config").and_then(Value::as_object);
    let Some(name) = given.and_then(|config| config.get("workflow")?.as_str()) else { return Err(None) };
    if is_selector(name) {
        return Err(None);
    }
    let Some(config) = given.zip(node.block).and_then(|(given, block)| Config::of(block, given)) else {
        return Err(None);
    };
    let frame = &draft.frames[node.frame];
    let key = config.key();
    let nearest = frame.libraries.iter().enumerate().rev();
    let found = nearest.filter_map(|(place, (library, pointer))| {
        let workflow = library.get(&key)?;
        let pointer = format!("{pointer}/{}", pointer_token(&key)).into();
        Some(Found { workflow, name, pointer, libraries: place + 1 })
    });
    let Some(found) = found.into_iter().next() else {
        return Err(Some(Box::new(unknown(node, frame, &config))));
    };
    refuse_recursion(node, frame, &found)?;
    if frame.chain.len() == MAX_CALL_DEPTH {
        let message = format!("this call is {} deep, and {MAX_CALL_DEPTH} are allowed", MAX_CALL_DEPTH + 1);
        let fault = node.fault(codes::CALLS_TOO_DEEP, "/config/workflow", message);
        return Err(Some(Box::new(fault.hint("call it from an outer workflow instead"))));
    }
    check_size(draft, node, found.workflow)?;
    Ok(Some(found))
}

/// A workflow that is being expanded cannot be expanded inside itself; versions of one workflow count as one.
fn refuse_recursion<'a>(node: &DraftNode<'a>, frame: &Frame<'a>, found: &Found<'a>) -> Result<(), Refusal> {
    let is_saved = found.name.parse::<millrace_contracts::WorkflowId>().is_ok();
    let again = |(workflow, name): &&(&Value, &str)| {
        std::ptr::eq(*workflow, found.workflow) || (is_saved && *name == found.name)
    };
    let Some(place) = frame.chain.iter().position(|call| again(&call)) else { return Ok(()) };
    let names = frame.chain[place..].iter().map(|(_, name)| *name).chain([found.name]).collect::<Vec<_>>();
    let message = format!("a workflow cannot call itself: {}", names.join(" → "));
    let fault = node.fault(codes::WORKFLOW_RECURSION, "/config/workflow", message);
    Err(Some(Box::new(fault.hint("repeat work with a for_each, or copy the part that is meant"))))
}

fn check_size<'a>(draft: &Draft<'a>, node: &DraftNode<'a>, workflow: &Value) -> Result<(), Refusal> {
    let inside = workflow.get("nodes").and_then(Value::as_array).map_or(0, Vec::len);
    let all = draft.taken + draft.nodes.len() + inside;
    // One more for the call's other end.
    if all < MAX_NODES {
        return Ok(());
    }
    if draft.faults.0.iter().any(|fault| fault.code == codes::TOO_MANY_NODES) {
        return Err(None);
    }
    let message = format!("with what it calls, the workflow has more than {MAX_NODES} nodes");
    let fault = node.fault(codes::TOO_MANY_NODES, "/config/workflow", message);
    Err(Some(Box::new(fault.hint("start the called workflow as a run of its own, or use a for_each"))))
}

fn unknown(node: &DraftNode<'_>, frame: &Frame<'_>, config: &Config) -> Fault {
    let key = config.key();
    let message = format!("there is no workflow {key:?} under `workflows`");
    let fault = node.fault(codes::UNKNOWN_WORKFLOW, "/config/workflow", message);
    let known = frame.libraries.iter().flat_map(|(library, _)| library.keys().map(String::as_str));
    let saved = config.workflow.parse::<millrace_contracts::WorkflowId>().is_ok();
    let hint = did_you_mean(&key, known.collect::<Vec<_>>()).filter(|_| !saved);
    fault.hint(hint.unwrap_or_else(|| {
        "embed it, {\"workflows\": {NAME: {\"nodes\": […]}}}, or name a saved workflow by its id and send it to the server"
            .to_owned()
    }))
}
