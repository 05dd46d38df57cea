//! The front door: a definition in, a plan or all its faults out.

use millrace_contracts::{Fault, Faults};
use serde_json::{Map, Value};

use crate::plan::Plan;

/// Compiles a definition.
///
/// # Errors
/// Every mistake in it, in the order of the document.
pub fn compile(definition: &Value) -> Result<Plan, Faults> {
    let _ = definition;
    Err(Faults(vec![Fault::new("EMPTY_WORKFLOW", "/nodes", "under construction")]))
}

/// Compiles a definition from its text.
///
/// # Errors
/// Every mistake in it; a JSON syntax error names its line and column.
pub fn compile_text(text: &str) -> Result<Plan, Faults> {
    compile(&serde_json::from_str(text).unwrap_or(Value::Object(Map::new())))
}

/// The definition with every block's version pinned, for saving.
///
/// # Errors
/// Every mistake in it.
pub fn pin(definition: &Value) -> Result<Value, Faults> {
    compile(definition).map(|_| definition.clone())
}
