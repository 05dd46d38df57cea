//! Branches: ports that are not taken, skips that spread, optional inputs, joins.

use serde_json::json;

use crate::support::driver::Driver;
use crate::support::flow::{condition, input, job, output, with, workflow};

#[test]
fn only_the_branch_that_is_taken_runs() {
    for (truth, runs, skipped) in [("n == 3", "yes", "no"), ("n == 4", "no", "yes")] {
        let definition = workflow(&[
            condition("if", "$inputs.photo", truth),
            job("yes", "$nodes.if.true"),
            job("no", "$nodes.if.false"),
            job("after_yes", "$nodes.yes.image"),
            job("after_no", "$nodes.no.image"),
        ]);
        let mut driver = Driver::begin(&definition, input(0, &[]));
        assert_eq!(driver.places(), [format!("{runs}#1")]);
        assert_eq!(driver.status(skipped), "skipped");
        assert_eq!(driver.status(&format!("after_{skipped}")), "skipped", "skips spread");
        assert!(driver.told().contains(&format!("node:skipped after_{skipped}")), "and are events");
        driver.done(runs);
        driver.done(&format!("after_{runs}"));
        assert_eq!(driver.run_status(), "completed");
        assert_eq!(driver.run.meta().progress.skipped, 2);
    }
}

#[test]
fn what_was_skipped_has_no_start_and_no_attempt() {
    let definition = workflow(&[condition("if", "$inputs.photo", "false"), job("a", "$nodes.if.true")]);
    let driver = Driver::begin(&definition, input(0, &[]));
    let record = driver.record("a");
    assert_eq!((record.started_at, record.attempt), (None, 0));
    assert_eq!(record.completed_at, Some(driver.now));
}

#[test]
fn a_switch_takes_one_port() {
    let switch = json!({"id": "by", "type": "switch", "inputs": {"value": "$inputs.n"},
        "config": {"cases": {"three": 3, "four": 4}}});
    let take = |port: &str| {
        let inputs = json!({"value": "$inputs.photo", "n": format!("$nodes.by.{port}")});
        json!({"id": port, "type": "condition", "inputs": inputs, "config": {"if": "true"}})
    };
    let definition = workflow(&[switch, take("three"), take("four"), take("default")]);
    let driver = Driver::begin(&definition, input(0, &[]));
    let statuses = ["three", "four", "default"].map(|place| driver.status(place));
    assert_eq!(statuses, ["completed", "skipped", "skipped"]);
}

#[test]
fn an_optional_input_reads_null_where_its_source_was_skipped() {
    let reader = json!({"id": "reader", "type": "condition",
        "inputs": {"value": "$nodes.if.false", "n": "$inputs.n"}, "config": {"if": "true"}});
    let definition = workflow(&[
        condition("if", "$inputs.photo", "true"),
        reader,
        output(json!({"value": "$nodes.reader.true"})),
    ]);
    let driver = Driver::begin(&definition, input(0, &[]));
    assert_eq!(driver.outputs()["out"], json!({"value": null}));
}

#[test]
fn a_node_that_needs_one_of_two_inputs_is_skipped_without_both() {
    for (seen, read, status) in [
        ("true", "true", "completed"),
        ("false", "true", "completed"),
        ("true", "false", "completed"),
        ("false", "false", "skipped"),
    ] {
        let hide = json!({"id": "hide", "type": "blur_region", "inputs": {
            "image": "$inputs.photo", "detections": "$nodes.faces.true", "masks": "$nodes.plates.true"}});
        let found = json!({"id": "found", "type": "parameter_input", "config": {"kind": "any"}});
        let condition = |id: &str, truth: &str| condition(id, "$inputs.found", truth);
        let nodes = [found, condition("faces", seen), condition("plates", read), hide];
        let mut driver = Driver::begin(&workflow(&nodes), input(0, &[]));
        driver.finish_all();
        assert_eq!(driver.status("hide"), status, "{seen} {read}");
    }
}

#[test]
fn first_of_gives_the_first_branch_that_was_taken() {
    for (truth, source) in [("true", "a"), ("false", "b")] {
        let join = json!({"id": "join", "type": "first_of",
            "inputs": {"b": "$nodes.no.image", "a": "$nodes.yes.image"}, "config": {"order": ["a", "b"]}});
        let definition = workflow(&[
            condition("if", "$inputs.photo", truth),
            job("yes", "$nodes.if.true"),
            job("no", "$nodes.if.false"),
            join,
            output(json!({"value": "$nodes.join.value", "source": "$nodes.join.source"})),
        ]);
        let mut driver = Driver::begin(&definition, input(0, &[]));
        driver.finish_all();
        assert_eq!(driver.outputs()["out"]["source"], source);
    }
}

#[test]
fn first_of_without_any_branch_is_not_taken_either() {
    let join = json!({"id": "join", "type": "first_of", "inputs": {"a": "$nodes.if.false"}});
    let definition =
        workflow(&[condition("if", "$inputs.photo", "true"), join, job("after", "$nodes.join.value")]);
    let driver = Driver::begin(&definition, input(0, &[]));
    assert_eq!(driver.status("join"), "completed");
    assert_eq!(driver.status("after"), "skipped");
    assert_eq!(driver.run_status(), "completed");
}

#[test]
fn a_skipped_value_in_the_configuration_skips_the_node() {
    let sized = with(job("a", "$inputs.photo"), json!({"config": {"width": "$nodes.if.true"}}));
    let definition = workflow(&[condition("if", "$inputs.n", "false"), sized]);
    let driver = Driver::begin(&definition, input(0, &[]));
    assert_eq!(driver.status("a"), "skipped");
}
