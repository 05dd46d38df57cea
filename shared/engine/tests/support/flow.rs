//! Compiled workflows and accepted runs.

use std::sync::Arc;

use millrace_compiler::Plan;
use millrace_contracts::job::Priority;
use millrace_contracts::message::Accepted;
use millrace_contracts::{BlobId, ExecutionId, UnixMillis};
use serde_json::{Map, Value, json};
use uuid::Uuid;

/// When every test begins.
pub(crate) const START: UnixMillis = UnixMillis(1_700_000_000_000);

/// Compiles `definition`; says what is wrong with it otherwise.
pub(crate) fn compile(definition: &Value) -> Arc<Plan> {
    match millrace_compiler::compile(definition) {
        Ok(plan) => Arc::new(plan),
        Err(faults) => panic!("{faults:#?}\n{definition:#}"),
    }
}

/// A workflow of these nodes.
pub(crate) fn flow(nodes: Value) -> Value {
    json!({"name": "test", "nodes": nodes})
}

/// Run `number`.
pub(crate) fn execution(number: u64) -> ExecutionId {
    ExecutionId(Uuid::from_u64_pair(0x0190_0000_0000_7000, 0x8000_0000_0000_0000 | number))
}

/// A run of `input` as the api accepts it.
pub(crate) fn accepted(number: u64, input: Map<String, Value>) -> Accepted {
    Accepted {
        execution_id: execution(number),
        workflow_id: None,
        version: None,
        definition: BlobId::of(b"definition"),
        input,
        priority: Priority::Normal,
        weight: 1,
        pool: None,
        timeout_ms: None,
        created_at: START,
        traceparent: None,
        schedule_id: None,
        rerun_of: None,
        callback_url: None,
        epoch: 1,
        started_at: None,
        region: None,
    }
}

/// An object, as a map.
pub(crate) fn map(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(fields) => fields,
        other => panic!("{other} is no object"),
    }
}

/// A workflow over `photo` (an image), `list` (a list of images), `lists` (a list of such lists) and `n` (a number).
pub(crate) fn workflow(nodes: &[Value]) -> Value {
    let parameter =
        |id: &str, kind: &str| json!({"id": id, "type": "parameter_input", "config": {"kind": kind}});
    let mut all = vec![
        parameter("photo", "image"),
        parameter("list", "list<image>"),
        parameter("lists", "list<list<image>>"),
        parameter("n", "integer"),
    ];
    all.extend_from_slice(nodes);
    json!({"name": "test", "nodes": all})
}

/// Inputs for [`workflow`]: `items` items, and rows of such lengths.
pub(crate) fn input(items: usize, rows: &[usize]) -> Value {
    let images = |count: usize| (0..count).map(|number| json!({"item": number})).collect::<Value>();
    let rows: Value = rows.iter().map(|&count| images(count)).collect();
    json!({"photo": {"photo": 1}, "list": images(items), "lists": rows, "n": 3})
}

/// A job that reads one image and gives one.
pub(crate) fn job(id: &str, image: &str) -> Value {
    json!({"id": id, "type": "resize", "inputs": {"image": image}, "config": {"width": 8}})
}

/// The same node with further fields.
pub(crate) fn with(mut node: Value, fields: Value) -> Value {
    node.as_object_mut().unwrap().extend(map(fields));
    node
}

pub(crate) fn each(id: &str, items: &str, config: Value) -> Value {
    json!({"id": id, "type": "for_each", "inputs": {"items": items}, "config": config})
}

pub(crate) fn collect(id: &str, item: &str) -> Value {
    json!({"id": id, "type": "collect", "inputs": {"item": item}})
}

pub(crate) fn condition(id: &str, value: &str, truth: &str) -> Value {
    json!({"id": id, "type": "condition", "inputs": {"value": value, "n": "$inputs.n"}, "config": {"if": truth}})
}

pub(crate) fn output(inputs: Value) -> Value {
    json!({"id": "out", "type": "json_output", "inputs": inputs})
}
