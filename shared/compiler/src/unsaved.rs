//! What a definition cannot do while it is not saved: a window over many runs without a name belongs to its node in the saved
//! workflow, and here there is none.

use std::collections::HashMap;

use millrace_blocks::outputs::aggregation;
use millrace_contracts::{Fault, Faults};
use serde_json::Value;

use crate::codes;
use crate::plan::{Plan, PlanNode, Template};

/// The windows of a compiled definition that lack the name they need where it is run without being saved.
#[must_use]
pub fn nameless_windows(plan: &Plan, definition: &Value) -> Faults {
    let nameless = plan.nodes.iter().filter(|node| is_nameless(node)).collect::<Vec<_>>();
    if nameless.is_empty() {
        return Faults::default();
    }
    let nodes = definition.get("nodes").and_then(Value::as_array);
    let ids = nodes.into_iter().flatten().map(|node| node.get("id").and_then(Value::as_str));
    let places = ids.enumerate().filter_map(|(place, id)| Some((id?, place))).collect::<HashMap<_, _>>();
    let fault = |node: &PlanNode| {
        // Inside a call the id begins with the call's, and that is where the definition has it.
        let id = node.id.as_str();
        let (outer, below) = id.split_once('/').map_or((id, "/config/window"), |(call, _)| (call, ""));
        let place = places.get(outer).copied().unwrap_or_default();
        let message =
            format!("the window of `{id}` needs a name: a workflow that is not saved has none of its own");
        let fault = Fault::new(codes::INVALID_CONFIG, format!("/nodes/{place}{below}"), message);
        (place, fault.on(&node.id).hint("set `window` to a name, or save the workflow and run that"))
    };
    let mut faults = nameless.into_iter().map(fault).collect::<Vec<_>>();
    faults.sort_by_key(|(place, _)| *place);
    Faults(faults.into_iter().map(|(_, fault)| fault).collect())
}

fn is_nameless(node: &PlanNode) -> bool {
    let is_aggregation = node.block.split('@').next() == Some(aggregation::NAME);
    is_aggregation && is_set(&node.config, "interval") && !is_set(&node.config, "window")
}

/// Whether a field of the configuration is there; what a selector gives is.
fn is_set(config: &Template, field: &str) -> bool {
    match config {
        Template::Literal(config) => config.get(field).is_some_and(|value| !value.is_null()),
        Template::Object(fields) => fields
            .iter()
            .any(|(name, value)| name == field && !matches!(value, Template::Literal(Value::Null))),
        _ => false,
    }
}
