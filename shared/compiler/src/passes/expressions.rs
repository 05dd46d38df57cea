//! Expressions: every CEL text, compiled over the node's inputs; and with them the logic of each node.

mod items;

use std::sync::Arc;

use millrace_blocks::logic::filter::DETECTION_FIELDS;
use millrace_contracts::Fault;

use crate::codes;
use crate::draft::{Draft, DraftNode};
use crate::expression::{Cache, Expression, Names};
use crate::logic::Logic;

/// Compiles every node's logic.
pub(crate) fn run(draft: &mut Draft<'_>) {
    let mut cache = Cache::default();
    let over_detections = items::over_detections(draft);
    for (node, plain) in draft.nodes.iter_mut().zip(over_detections) {
        let Some(block) = node.block else { continue };
        let mut faults = Vec::new();
        let fields = plain.then_some(DETECTION_FIELDS.as_slice());
        let logic = Logic::compile(block.name, || expression(node, fields, &mut cache, &mut faults));
        node.logic = logic;
        draft.faults.0.extend(faults);
    }
}

/// The expression of a node, in which `item` has these fields where they are known; none when it has none, or a wrong one.
fn expression(
    node: &DraftNode<'_>,
    fields: Option<&[&str]>,
    cache: &mut Cache,
    faults: &mut Vec<Fault>,
) -> Option<Arc<Expression>> {
    let block = node.block?;
    let own = block.expressions.first()?;
    let pointer = format!("/config/{}", own.field);
    // No text at all, or an empty one, is already reported by the schema.
    let source = node.settings.get(own.field)?.as_str()?;
    if source.is_empty() {
        return None;
    }
    if source.starts_with('$') {
        let hint = "wire it to the node as an input, and use the input's name in the expression";
        let message = "an expression cannot contain selectors";
        faults.push(node.fault(codes::INVALID_EXPRESSION, &pointer, message).hint(hint));
        return None;
    }
    let optional = block.inputs.iter().map(|port| port.name);
    let wired = node.inputs.iter().map(|input| input.port.as_str());
    let mut variables = own.variables.iter().copied().chain(optional).chain(wired).collect::<Vec<_>>();
    variables.sort_unstable();
    variables.dedup();
    match cache.compile(source, &Names { variables: &variables, item: fields }) {
        Ok(expression) => Some(expression),
        Err(wrong) => {
            let code =
                if wrong.unknown_variable { codes::UNKNOWN_VARIABLE } else { codes::INVALID_EXPRESSION };
            faults.push(node.fault(code, &pointer, wrong.message).hint(wrong.hint));
            None
        }
    }
}
