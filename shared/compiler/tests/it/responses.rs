//! Who answers a run: one `api_response`, or several of which the run takes one.

use millrace_compiler::compile;
use serde_json::{Value, json};

use crate::{faults, report, workflow};

fn reply(id: &str, body: Value) -> Value {
    json!({"id": id, "type": "api_response", "inputs": {"body": body}})
}

fn number() -> Value {
    json!({"id": "n", "type": "parameter_input", "config": {"kind": "integer"}})
}

fn condition() -> Value {
    json!({"id": "if", "type": "condition", "inputs": {"value": "$inputs.n"}, "config": {"if": "value > 3"}})
}

fn check(nodes: &[Value], expected: &[&str]) {
    let definition = workflow(&json!(nodes));
    let found = faults(&definition);
    let shown = compile(&definition).err().map(|faults| report(&faults));
    assert_eq!(found, expected, "{shown:?}");
}

#[test]
fn one_answer_is_enough() {
    check(&[number(), reply("a", json!({"n": "$inputs.n"}))], &[]);
    let ambiguous = ["AMBIGUOUS_RESPONSE /nodes/2/inputs/body"];
    check(&[number(), reply("a", json!(1)), reply("b", json!("$inputs.n"))], &ambiguous);
    check(
        &[number(), condition(), reply("a", json!("$nodes.if.true")), reply("b", json!(1))],
        &["AMBIGUOUS_RESPONSE /nodes/3/inputs/body"],
    );
}

#[test]
fn branches_that_exclude_each_other_may_each_answer() {
    let then =
        json!({"id": "later", "type": "delay", "inputs": {"value": "$nodes.if.false"}, "config": {"ms": 1}});
    let both = [reply("a", json!({"yes": "$nodes.if.true"})), reply("b", json!("$nodes.later.value"))];
    check(&[number(), condition(), then, both[0].clone(), both[1].clone()], &[]);
    // What joins the branches runs in either.
    let join =
        json!({"id": "join", "type": "first_of", "inputs": {"a": "$nodes.if.true", "b": "$nodes.if.false"}});
    check(
        &[number(), condition(), join, both[0].clone(), reply("c", json!("$nodes.join.value"))],
        &["AMBIGUOUS_RESPONSE /nodes/4/inputs/body"],
    );
    // Of three, two may meet.
    check(
        &[
            number(),
            condition(),
            both[0].clone(),
            reply("b", json!("$nodes.if.false")),
            reply("c", json!("$nodes.if.true")),
        ],
        &["AMBIGUOUS_RESPONSE /nodes/4/inputs/body"],
    );
}

#[test]
fn a_status_that_is_written_out_is_in_range() {
    let with =
        |status: Value| json!({"id": "a", "type": "api_response", "inputs": {"body": 1, "status": status}});
    check(&[with(json!(204))], &[]);
    check(&[with(json!(100))], &["INVALID_INPUT /nodes/0/inputs/status"]);
    check(&[with(json!("200"))], &["KIND_MISMATCH /nodes/0/inputs/status"]);
}

#[test]
fn nobody_answers_from_within_a_loop_or_a_call() {
    let list = json!({"id": "list", "type": "parameter_input", "config": {"kind": "list<any>"}});
    let each = json!({"id": "each", "type": "for_each", "inputs": {"items": "$inputs.list"}});
    check(&[list, each, reply("a", json!("$nodes.each.item"))], &["OUTPUT_IN_LOOP /nodes/2/inputs/body"]);
    let called = json!({"nodes": [{"id": "call", "type": "sub_workflow", "config": {"workflow": "w"}}],
        "workflows": {"w": {"nodes": [reply("a", json!(1))]}}});
    assert_eq!(faults(&called), ["RESPONSE_IN_CALL /workflows/w/nodes/0/type"]);
}
