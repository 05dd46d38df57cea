//! What compiles and is surely not meant.

use millrace_compiler::{compile, warnings};
use serde_json::{Value, json};

use crate::workflow;

/// `CODE pointer` of each warning.
fn told(nodes: &Value) -> Vec<String> {
    let definition = workflow(nodes);
    let plan = compile(&definition).unwrap();
    let told = warnings(&plan, &definition);
    told.iter().map(|fault| format!("{} {}", fault.code, fault.pointer)).collect()
}

fn photo() -> Value {
    json!({"id": "photo", "type": "image_input"})
}

#[test]
fn what_nothing_reads_is_told_in_its_place() {
    let detect = json!({"id": "detect", "type": "detection", "config": {"model_id": "m"}, "inputs": {"image": "$inputs.photo"}});
    let small = json!({"id": "small", "type": "resize", "config": {"width": 8}, "inputs": {"image": "$inputs.photo"}});
    let count = json!({"id": "count", "type": "json_output", "inputs": {"count": "$nodes.detect.count"}});
    let spare = json!({"id": "spare", "type": "parameter_input", "config": {"kind": "float"}});
    let nodes = json!([small, spare, photo(), detect, count]);
    assert_eq!(told(&nodes), ["UNUSED_NODE /nodes/0", "UNUSED_INPUT /nodes/1"]);
    assert_eq!(told(&json!([photo(), detect, count])), [""; 0]);
    let definition = workflow(&nodes);
    let first = warnings(&compile(&definition).unwrap(), &definition).remove(0);
    assert_eq!((first.node.unwrap().as_str(), first.hint.is_some()), ("small", true));
}

#[test]
fn a_policy_that_does_nothing_is_told_in_its_place_and_refuses_nothing() {
    let hook = json!({"id": "tell", "type": "webhook", "config": {"url": "https://example.com"},
        "inputs": {"payload": "$inputs.photo"}, "retry": {"max_attempts": 3}});
    let definition = workflow(&json!([photo(), hook]));
    let told = warnings(&compile(&definition).unwrap(), &definition);
    let [warning] = &told[..] else { panic!("{told:?}") };
    assert_eq!((warning.code.as_str(), warning.pointer.as_str()), ("IDLE_POLICY", "/nodes/1/retry"));
    assert!(warning.hint.as_ref().unwrap().starts_with("set `max_attempts` in `config`"));
}

/// Such workflows were saved before anybody told of it, and run.
#[test]
fn a_body_that_a_get_has_no_use_for_is_no_fault() {
    let hook = json!({"id": "tell", "type": "webhook", "inputs": {"payload": "$inputs.photo"},
        "config": {"url": "https://example.com", "method": "GET", "body": {"text": "seen"}}});
    assert_eq!(told(&json!([photo(), hook])), ["IDLE_POLICY /nodes/1/config/body"]);
}

#[test]
fn no_more_warnings_are_told_than_faults() {
    let idle = |number: usize| json!({"id": format!("c{number}"), "type": "parameter_input", "config": {"kind": "float"}, "cache": "auto"});
    let nodes: Vec<_> = (0..2_000).map(idle).collect();
    assert_eq!(told(&json!(nodes)).len(), millrace_compiler::limits::MAX_FAULTS);
}

/// What a node does besides what it gives is not known to be in vain.
#[test]
fn what_does_something_may_be_read_by_nothing() {
    let hook = json!({"id": "tell", "type": "webhook", "config": {"url": "https://example.com"}, "inputs": {"payload": "$inputs.photo"}});
    assert_eq!(told(&json!([photo(), hook])), [""; 0]);
    let call = json!({"id": "call", "type": "sub_workflow", "config": {"workflow": "inner"}, "inputs": {"photo": "$inputs.photo"}});
    let mut definition = workflow(&json!([photo(), call]));
    definition["workflows"] = json!({"inner": {"nodes": [photo(), hook]}});
    let plan = compile(&definition).unwrap();
    assert_eq!(warnings(&plan, &definition), []);
}

#[test]
fn the_examples_have_no_warnings() {
    let mut read = 0;
    for entry in std::fs::read_dir("../../examples").unwrap().flatten() {
        if entry.path().extension().is_some_and(|extension| extension == "json") {
            let definition = serde_json::from_slice(&std::fs::read(entry.path()).unwrap()).unwrap();
            let plan = compile(&definition).unwrap();
            assert_eq!(warnings(&plan, &definition), [], "{}", entry.path().display());
            read += 1;
        }
    }
    assert!(read > 8, "{read}");
}
