//! Output blocks, and what the run says at its end.

use serde_json::json;

use crate::support::driver::Driver;
use crate::support::flow::{condition, input, job, output, workflow};

#[test]
fn output_blocks_give_the_runs_outputs_by_their_id() {
    let definition = workflow(&[
        job("a", "$inputs.photo"),
        output(json!({"picture": "$nodes.a.image", "all": "$nodes.a.*", "fixed": [1, {"n": "$inputs.n"}]})),
    ]);
    let mut driver = Driver::begin(&definition, input(0, &[]));
    driver.done("a");
    let expected = json!({"picture": "a", "all": {"image": "a"}, "fixed": [1, {"n": 3}]});
    assert_eq!(driver.outputs()["out"], expected);
    let last = driver.log.last().unwrap();
    assert_eq!(last.data["outputs"], json!({"out": expected}));
    assert_eq!(last.data["status"], "completed");
    assert_eq!(last.data["jobs"], json!({"completed": 1, "failed": 0}));
    assert_eq!(last.data["progress"]["total"], 6);
    assert!(driver.fields.contains_key("outputs"));
}

#[test]
fn an_output_of_a_branch_that_was_not_taken_is_left_out() {
    let definition =
        workflow(&[condition("if", "$inputs.photo", "false"), output(json!({"value": "$nodes.if.true"}))]);
    let driver = Driver::begin(&definition, input(0, &[]));
    assert_eq!(driver.outputs(), serde_json::Map::new());
    assert_eq!(driver.run_status(), "completed");
}

#[test]
fn a_run_that_did_not_complete_has_no_outputs() {
    let definition = workflow(&[job("a", "$inputs.photo"), output(json!({"n": "$inputs.n"}))]);
    let mut driver = Driver::begin(&definition, input(0, &[]));
    driver.cancel();
    assert_eq!(driver.log.last().unwrap().data["outputs"], json!(null));
    assert!(!driver.fields.contains_key("outputs"));
}

#[test]
fn an_answer_stands_among_the_outputs_and_its_status_is_in_range() {
    let reply = |status: &str| {
        let inputs = json!({"body": {"n": "$inputs.n"}, "status": status});
        workflow(&[json!({"id": "out", "type": "api_response", "inputs": inputs})])
    };
    let mut given = input(0, &[]);
    given["n"] = json!(418);
    let driver = Driver::begin(&reply("$inputs.n"), given);
    assert_eq!(driver.outputs()["out"], json!({"body": {"n": 418}, "status": 418}));
    let driver = Driver::begin(&reply("$inputs.n"), input(0, &[]));
    assert_eq!(driver.run_status(), "failed");
    let error = &driver.log.last().unwrap().data["error"];
    assert_eq!((&error["kind"], &error["pointer"]), (&json!("INVALID_INPUT"), &json!("/inputs/status")));
}

#[test]
fn a_run_without_a_job_is_over_at_once() {
    let driver = Driver::begin(&workflow(&[output(json!({"n": "$inputs.n"}))]), input(0, &[]));
    assert_eq!(driver.run_status(), "completed");
    assert_eq!(driver.told().first().unwrap(), "started");
}
