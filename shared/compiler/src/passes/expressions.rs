//! Expressions: every CEL text, compiled over the node's inputs; and with them the logic of each node.

use std::sync::Arc;

use millrace_contracts::Fault;

use crate::codes;
use crate::draft::{Draft, DraftNode};
use crate::expression::{Cache, Expression};
use crate::logic::Logic;

/// Compiles every node's logic.
pub(crate) fn run(draft: &mut Draft<'_>) {
    let mut cache = Cache::default();
    for node in &mut draft.nodes {
        let Some(block) = node.block else { continue };
        let mut faults = Vec::new();
        let logic = Logic::compile(block.name, || expression(node, &mut cache, &mut faults));
        node.logic = logic;
        draft.faults.0.extend(faults);
    }
}

/// The expression of a node; none when it has none, or a wrong one.
fn expression(node: &DraftNode<'_>, cache: &mut Cache, faults: &mut Vec<Fault>) -> Option<Arc<Expression>> {
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
    match cache.compile(source, &variables) {
        Ok(expression) => Some(expression),
        Err(wrong) => {
            let code =
                if wrong.unknown_variable { codes::UNKNOWN_VARIABLE } else { codes::INVALID_EXPRESSION };
            faults.push(node.fault(code, &pointer, wrong.message).hint(wrong.hint));
            None
        }
    }
}
