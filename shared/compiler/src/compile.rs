//! The front door: a definition in, a plan or all its faults out.

use std::collections::HashSet;

use millrace_blocks::catalogue;
use millrace_contracts::values::json_bytes;
use millrace_contracts::{Fault, Faults};
use serde_json::Value;

use crate::codes;
use crate::depth::depth_within;
use crate::draft::Draft;
use crate::limits::{MAX_DEFINITION_BYTES, MAX_DEPTH, MAX_FAULTS};
use crate::passes::{
    calls, config, cycles, expressions, kinds, lower, policies, resolve, responses, scopes, selectors, wiring,
};
use crate::plan::Plan;
use crate::uncalled;

/// Compiles a definition. Takes time linear in its size, and no stack for the depth of its graph.
///
/// # Errors
/// Every mistake in it, in the order of the document.
pub fn compile(definition: &Value) -> Result<Plan, Faults> {
    bound(definition)?;
    let (mut draft, scopes) = analyse(Draft::of(definition, "".into(), Vec::new(), 0), definition);
    uncalled::check(&mut draft, |draft| analyse(draft, &Value::Null).0);
    let faults = in_order(draft.faults);
    if !faults.is_empty() {
        return Err(faults);
    }
    Ok(lower::run(Draft { faults, ..draft }, scopes))
}

/// Compiles a definition from its text.
///
/// # Errors
/// Every mistake in it; a JSON syntax error names its line and column.
pub fn compile_text(text: &str) -> Result<Plan, Faults> {
    compile(&parse_text(text)?)
}

/// The JSON of a definition's text.
///
/// # Errors
/// A text that is too long, or a syntax error with its line and column.
pub fn parse_text(text: &str) -> Result<Value, Faults> {
    if text.len() > MAX_DEFINITION_BYTES {
        return Err(Faults(vec![too_large(text.len())]));
    }
    serde_json::from_str(text).map_err(|error| {
        let message = format!("this is not JSON: {error}");
        let hint = format!("look at line {}, column {}", error.line(), error.column());
        Faults(vec![Fault::new(codes::INVALID_JSON, "", message).hint(hint)])
    })
}

/// The definition with every block's version pinned, as it is saved: a newer block later changes nothing.
///
/// # Errors
/// Every mistake in it.
pub fn pin(definition: &Value) -> Result<Value, Faults> {
    compile(definition).map(|_| pin_compiled(definition))
}

/// The same for a definition that is known to compile.
#[must_use]
pub fn pin_compiled(definition: &Value) -> Value {
    let mut pinned = definition.clone();
    pin_blocks(&mut pinned);
    pinned
}

/// Pins the nodes of a workflow and of those it embeds. JSON depth is bounded before, so this recursion is too.
fn pin_blocks(workflow: &mut Value) {
    let nodes = workflow.get_mut("nodes").and_then(Value::as_array_mut);
    for node in nodes.into_iter().flatten() {
        let block = node.get("type").and_then(Value::as_str).and_then(|name| catalogue().resolve(name));
        if let Some(block) = block {
            node["type"] = block.versioned().into();
        }
    }
    let library = workflow.get_mut("workflows").and_then(Value::as_object_mut);
    library.into_iter().flatten().for_each(|(_, workflow)| pin_blocks(workflow));
}

/// Refuses what would cost too much to look at.
fn bound(definition: &Value) -> Result<(), Faults> {
    if !depth_within(definition, MAX_DEPTH) {
        let message = format!("objects and lists nest deeper than {MAX_DEPTH}");
        return Err(Faults(vec![Fault::new(codes::DEFINITION_TOO_DEEP, "", message)]));
    }
    let bytes = json_bytes(definition);
    if bytes > MAX_DEFINITION_BYTES {
        return Err(Faults(vec![too_large(bytes)]));
    }
    Ok(())
}

fn too_large(bytes: usize) -> Fault {
    let message = format!("the definition has {bytes} bytes, and {MAX_DEFINITION_BYTES} are allowed");
    Fault::new(codes::DEFINITION_TOO_LARGE, "", message)
        .hint("keep data out of it: give it to a run as an input, or store it as a blob")
}

/// Runs the passes over a draft that was read; the limits of a run stand in `definition`.
fn analyse<'a>(mut draft: Draft<'a>, definition: &Value) -> (Draft<'a>, Vec<scopes::DraftScope>) {
    resolve::run(&mut draft, 0);
    calls::run(&mut draft);
    // A node's pool follows from its block.
    policies::run(&mut draft, definition);
    selectors::run(&mut draft);
    config::run(&mut draft);
    wiring::run(&mut draft);
    cycles::run(&mut draft);
    let scopes = scopes::run(&mut draft);
    kinds::run(&mut draft);
    responses::run(&mut draft);
    expressions::run(&mut draft);
    (draft, scopes)
}

/// The faults in the order of the document: those of the workflow, then node by node, each in the order of the passes; those
/// of embedded workflows last, and once, however often one is called.
fn in_order(faults: Faults) -> Faults {
    let mut faults = faults.0;
    let mut embedded = HashSet::new();
    faults.retain(|fault| {
        !fault.pointer.starts_with("/workflows/")
            || embedded.insert((fault.pointer.clone(), fault.code.clone()))
    });
    faults.sort_by_key(|fault| place_of(&fault.pointer));
    if faults.len() > MAX_FAULTS {
        let message = format!("{} more faults were found", faults.len() - MAX_FAULTS);
        faults.truncate(MAX_FAULTS);
        faults.push(Fault::new(codes::TOO_MANY_FAULTS, "", message).hint("mend these first"));
    }
    Faults(faults)
}

/// 0 for the workflow itself, otherwise the node's position from 1.
fn place_of(pointer: &str) -> usize {
    if pointer.starts_with("/workflows/") {
        return usize::MAX;
    }
    let position = pointer.strip_prefix("/nodes/").and_then(|rest| rest.split('/').next());
    position.and_then(|text| text.parse::<usize>().ok()).map_or(0, |position| position + 1)
}
