//! `on_error`: what a node's final failure means.

use millrace_contracts::ErrorKind::{InvalidInput, Network};
use serde_json::{Value, json};

use crate::support::driver::Driver;
use crate::support::flow::{input, job, output, with, workflow};

fn handled(on_error: Value) -> Value {
    let join = json!({"id": "join", "type": "first_of",
        "inputs": {"a": "$nodes.a.image", "b": "$inputs.photo"}, "config": {"order": ["a", "b"]}});
    workflow(&[
        with(job("a", "$inputs.photo"), json!({"on_error": on_error})),
        job("next", "$nodes.a.image"),
        join,
        output(json!({"source": "$nodes.join.source"})),
    ])
}

#[test]
fn skip_is_a_branch_that_was_not_taken() {
    let mut driver = Driver::begin(&handled(json!("skip")), input(0, &[]));
    driver.fail("a", InvalidInput);
    assert_eq!((driver.status("a"), driver.status("next")), ("failed".into(), "skipped".into()));
    assert_eq!(driver.outputs()["out"]["source"], "b");
    assert_eq!(driver.run_status(), "completed");
    let failed = driver.log.iter().find(|event| event.node_id == Some("a".into())).unwrap();
    assert_eq!(failed.data["handled"], "skip");
    assert_eq!(driver.run.meta().progress.failed, 1);
}

#[test]
fn a_default_stands_for_the_outputs() {
    let mut driver = Driver::begin(&handled(json!({"default": {"image": {"grey": 1}}})), input(0, &[]));
    driver.fail("a", InvalidInput);
    assert_eq!(driver.job("next").inputs["image"], json!({"grey": 1}));
    driver.done("next");
    assert_eq!(driver.outputs()["out"]["source"], "a");
    assert_eq!((driver.status("a"), driver.run_status()), ("failed".into(), "completed".into()));
}

#[test]
fn a_port_that_the_default_leaves_out_is_not_taken() {
    let find = json!({"id": "find", "type": "detection", "inputs": {"image": "$inputs.photo"},
        "config": {"model_id": "m"}, "on_error": {"default": {"count": 0}}});
    let draw = json!({"id": "draw", "type": "draw_boxes",
        "inputs": {"image": "$inputs.photo", "detections": "$nodes.find.detections"}});
    let count = output(json!({"count": "$nodes.find.count"}));
    let mut driver = Driver::begin(&workflow(&[find, draw, count]), input(0, &[]));
    driver.fail("find", InvalidInput);
    assert_eq!(driver.status("draw"), "skipped");
    assert_eq!(driver.outputs()["out"], json!({"count": 0}));
}

#[test]
fn a_policy_is_for_the_last_attempt() {
    let node =
        json!({"on_error": "skip", "retry": {"max_attempts": 2, "initial_ms": 0, "on": ["INVALID_INPUT"]}});
    let definition = workflow(&[with(job("a", "$inputs.photo"), node), job("next", "$nodes.a.image")]);
    let mut driver = Driver::begin(&definition, input(0, &[]));
    driver.fail("a", InvalidInput);
    assert_eq!(driver.status("next"), "none");
    driver.fail("a", InvalidInput);
    assert_eq!(driver.status("next"), "skipped");
}

#[test]
fn a_failed_run_cancels_the_rest_and_says_why() {
    let definition =
        workflow(&[job("a", "$inputs.photo"), job("b", "$inputs.photo"), job("c", "$nodes.a.image")]);
    let mut driver = Driver::begin(&definition, input(0, &[]));
    driver.fail("a", InvalidInput);
    assert_eq!(
        driver.told()[5..],
        ["node:failed a", "node:cancelled b", "node:cancelled c", "failed failed"]
    );
    let error = driver.run.meta().error.clone().unwrap();
    assert_eq!(error.message, "node `a` failed: made to fail");
    assert_eq!(driver.run.meta().progress.skipped, 2);
}

#[test]
fn logic_that_fails_follows_the_same_policy() {
    let broken = json!({"id": "if", "type": "condition", "inputs": {"n": "$inputs.any"},
        "config": {"if": "n > 3"}, "on_error": "skip"});
    let any = json!({"id": "any", "type": "parameter_input", "config": {"kind": "any"}});
    let mut given = input(0, &[]);
    given["any"] = json!("text");
    let driver = Driver::begin(&workflow(&[any, broken, job("a", "$nodes.if.true")]), given);
    assert_eq!((driver.status("if"), driver.status("a")), ("failed".into(), "skipped".into()));
    assert_eq!(driver.run_status(), "completed");
}

#[test]
fn a_failure_that_a_worker_may_repeat_is_still_final_when_the_kind_says_so() {
    let definition = workflow(&[with(job("a", "$inputs.photo"), json!({"on_error": "skip"}))]);
    let mut driver = Driver::begin(&definition, input(0, &[]));
    for _ in 0..3 {
        driver.fail("a", Network);
        driver.advance(60_000);
    }
    assert_eq!((driver.status("a"), driver.run_status()), ("failed".into(), "completed".into()));
}
