//! What compiles and is surely not meant: parts of a workflow that nothing comes of. Rule: certain, or not told; a run is never
//! refused for it.

mod idle;

use std::collections::HashMap;

use millrace_blocks::{Category, catalogue};
use millrace_contracts::Fault;
use serde_json::{Map, Value};

use self::idle::idle;
use crate::codes;
use crate::limits::MAX_FAULTS;
use crate::plan::{Action, Plan, PlanNode};

/// The warnings of a definition that compiled to `plan`, in the order of its nodes, as many as faults are told of
/// ([`MAX_FAULTS`]). Of what is inside of calls nothing is told.
#[must_use]
pub fn warnings(plan: &Plan, definition: &Value) -> Vec<Fault> {
    let planned: HashMap<&str, &PlanNode> = plan.nodes.iter().map(|node| (node.id.as_str(), node)).collect();
    let nodes = definition.get("nodes").and_then(Value::as_array).into_iter().flatten().enumerate();
    let of_one = |(place, fields): (usize, &Value)| {
        let fields = fields.as_object()?;
        let node = planned.get(fields.get("id")?.as_str()?)?;
        Some(of_node(node, fields, &format!("/nodes/{place}")))
    };
    nodes.filter_map(of_one).flatten().take(MAX_FAULTS).collect()
}

/// What there is to say of a node, which stands at `pointer` with these `fields`.
fn of_node(node: &PlanNode, fields: &Map<String, Value>, pointer: &str) -> Vec<Fault> {
    let mut told: Vec<Fault> = unread(node, pointer).into_iter().collect();
    let block = fields.get("type").and_then(Value::as_str).and_then(|name| catalogue().resolve(name));
    let idle = block.map(|block| idle(fields, block)).unwrap_or_default();
    told.extend(idle.into_iter().map(|found| {
        let pointer = format!("{pointer}/{}", found.field);
        Fault::new(codes::IDLE_POLICY, pointer, found.message).on(&node.id).hint(found.hint)
    }));
    told
}

/// What there is to say of a node that nothing reads.
fn unread(node: &PlanNode, pointer: &str) -> Option<Fault> {
    let id = &node.id;
    if !node.downstream.is_empty() {
        return None;
    }
    if matches!(node.action, Action::Input { .. }) {
        let fault = Fault::new(codes::UNUSED_INPUT, pointer, format!("nothing reads the input `{id}`"));
        return Some(fault.on(id).hint(format!("read it as $inputs.{id}, or take it out")));
    }
    // A call may do something inside, and what is not pure does something besides what it gives.
    let gives = catalogue().resolve(&node.block).is_some_and(|block| {
        block.pure && block.category != Category::Output && !matches!(node.action, Action::Return)
    });
    gives.then(|| {
        let fault = Fault::new(codes::UNUSED_NODE, pointer, format!("nothing reads what `{id}` gives"));
        fault.on(id).hint("read it in another node, such as a json_output, or take the node out")
    })
}
