//! The compiler from outside: definitions in, plans or faults out.

#![expect(clippy::needless_pass_by_value, reason = "tables read best with values in place")]
#![expect(clippy::unwrap_used, reason = "in a test a panic is the report")]

mod calls;
mod catalogue;
mod expressions;
mod faults;
mod fuzz;
mod hints;
mod inputs;
mod logic;
mod loops;
mod numbers;
mod plans;
mod responses;
mod scale;
mod settings;
mod warnings;

use millrace_compiler::{Plan, compile};
use millrace_contracts::Faults;
use serde_json::{Value, json};

/// A workflow of these nodes.
pub fn workflow(nodes: &Value) -> Value {
    json!({"name": "test", "nodes": nodes})
}

/// The plan of a workflow that is in order.
pub fn plan(nodes: &Value) -> Plan {
    compile(&workflow(nodes)).unwrap_or_else(|faults| panic!("{}", report(&faults)))
}

/// `CODE pointer` of each fault.
pub fn faults(definition: &Value) -> Vec<String> {
    let faults = compile(definition).err().unwrap_or_default();
    faults.0.iter().map(|fault| format!("{} {}", fault.code, fault.pointer)).collect()
}

/// Faults as somebody would read them.
pub fn report(faults: &Faults) -> String {
    let line = |fault: &millrace_contracts::Fault| {
        format!(
            "{} {}: {} ({})",
            fault.code,
            fault.pointer,
            fault.message,
            fault.hint.as_deref().unwrap_or("-")
        )
    };
    faults.0.iter().map(line).collect::<Vec<_>>().join("\n")
}
