//! Calls of workflows: what is inside runs in the call's place, and the call as a whole is skipped, repeated or gives up.

use millrace_contracts::ErrorKind;
use serde_json::{Value, json};

use crate::support::driver::Driver;
use crate::support::flow::{collect, condition, each, input, job, output, with, workflow};

/// `x` in; `image` after two jobs, and `seen` by a node that reads nothing that may be skipped.
fn child() -> Value {
    json!({"nodes": [
        {"id": "x", "type": "image_input"},
        {"id": "y", "type": "parameter_input", "config": {"kind": "any", "default": "none"}},
        job("a", "$inputs.x"),
        job("b", "$nodes.a.image"),
        {"id": "seen", "type": "condition", "inputs": {"value": "$inputs.y"}, "config": {"if": "true"}},
        {"id": "out", "type": "json_output", "inputs": {"image": "$nodes.b.image", "seen": "$nodes.seen.true", "no": "$nodes.seen.false"}}
    ]})
}

fn call(x: &str) -> Value {
    json!({"id": "c", "type": "sub_workflow", "inputs": {"x": x}, "config": {"workflow": "child"}})
}

fn calling(nodes: &[Value]) -> Value {
    let mut definition = workflow(nodes);
    definition["workflows"] = json!({"child": child()});
    definition
}

/// Pictures are image values: the entrance of a call looks.
fn picture() -> Value {
    let blob = millrace_contracts::BlobId::of(b"x");
    millrace_contracts::values::ImageValue::root(blob, 4, 4, "png").to_value()
}

fn given(items: usize) -> Value {
    let mut given = input(items, &[]);
    given["photo"] = picture();
    given["list"] = (0..items).map(|_| picture()).collect();
    given
}

#[test]
fn what_is_inside_runs_and_its_outputs_are_the_calls() {
    let definition =
        calling(&[call("$inputs.photo"), output(json!({"all": "$nodes.c.*", "image": "$nodes.c.image"}))]);
    let mut driver = Driver::begin(&definition, given(0));
    assert_eq!(driver.places(), ["c/a#1"]);
    driver.done("c/a");
    driver.reload();
    driver.done("c/b");
    assert_eq!(driver.run_status(), "completed");
    assert_eq!(driver.outputs()["out"], json!({"all": {"image": "c/b", "seen": "none"}, "image": "c/b"}));
    assert_eq!(driver.record("c").skipped_ports, ["no"]);
    assert_eq!(driver.record("c/@in").outputs.unwrap()["y"], "none");
    let ended = driver.log.iter().filter_map(|event| event.node_id.as_ref()).map(|id| id.as_str());
    assert!(ended.clone().any(|id| id == "c/seen") && ended.clone().all(|id| id != "c/out" && id != "c/x"));
}

#[test]
fn a_call_behind_a_branch_that_is_not_taken_is_skipped_with_all_that_is_inside() {
    let definition = calling(&[
        condition("if", "$inputs.photo", "n > 5"),
        call("$nodes.if.true"),
        output(json!({"seen": "$nodes.c.seen", "n": "$inputs.n"})),
    ]);
    let driver = Driver::begin(&definition, given(0));
    assert_eq!((driver.run_status(), driver.sent.len()), ("completed".into(), 0));
    // `seen` reads a parameter with a default only, and does not run all the same.
    for node in ["c", "c/@in", "c/a", "c/b", "c/seen"] {
        assert_eq!(driver.status(node), "skipped", "{node}");
    }
    assert_eq!(driver.outputs()["out"]["seen"], Value::Null);
}

#[test]
fn a_call_in_a_loop_runs_per_item() {
    let definition = calling(&[
        each("each", "$inputs.list", json!({"max_parallel": 2})),
        call("$nodes.each.item"),
        collect("images", "$nodes.c.image"),
        collect("seen", "$nodes.c.seen"),
        output(json!({"images": "$nodes.images.items", "seen": "$nodes.seen.items"})),
    ]);
    let mut driver = Driver::begin(&definition, given(3));
    assert_eq!(driver.places(), ["c/a[0]#1", "c/a[1]#1"]);
    for place in ["c/a[1]", "c/b[1]", "c/a[0]", "c/a[2]", "c/b[2]"] {
        driver.done(place);
        driver.reload();
    }
    driver.done("c/b[0]");
    assert_eq!(
        driver.outputs()["out"],
        json!({"images": ["c/b[0]", "c/b[1]", "c/b[2]"], "seen": ["none", "none", "none"]})
    );
}

#[test]
fn a_failure_inside_fails_the_run_or_as_the_call_says_skips_what_depends_on_it() {
    let failing = |policy: Value| {
        let definition =
            calling(&[with(call("$inputs.photo"), policy), output(json!({"all": "$nodes.c.*"}))]);
        let mut driver = Driver::begin(&definition, given(0));
        driver.fail("c/a", ErrorKind::InvalidInput);
        driver
    };
    let failed = failing(json!({}));
    assert_eq!(failed.run_status(), "failed");
    assert_eq!(failed.run.meta().error.as_ref().unwrap().node.as_ref().unwrap().as_str(), "c/a");
    let went_on = failing(json!({"on_error": "skip"}));
    assert_eq!(went_on.run_status(), "completed");
    assert_eq!(went_on.record("c").skipped_ports, ["image", "no"]);
    assert_eq!(went_on.outputs()["out"]["all"], json!({"seen": "none"}));
}

#[test]
fn what_does_not_fit_is_refused_at_the_entrance() {
    let definition = |policy: Value| {
        let odd = json!({"id": "odd", "type": "parameter_input", "config": {"kind": "any"}});
        calling(&[
            odd,
            with(call("$inputs.odd"), policy),
            output(json!({"seen": "$nodes.c.seen", "n": "$inputs.n"})),
        ])
    };
    let begin = |policy: Value| {
        let mut given = given(0);
        given["odd"] = json!("not a picture");
        Driver::begin(&definition(policy), given)
    };
    let failed = begin(json!({}));
    assert_eq!(failed.run_status(), "failed");
    let error = failed.run.meta().error.clone().unwrap();
    assert_eq!((error.kind, error.pointer.as_deref()), (ErrorKind::InvalidInput, Some("/inputs/x")));
    let skipped = begin(json!({"on_error": "skip"}));
    assert_eq!((skipped.run_status(), skipped.status("c/seen")), ("completed".into(), "skipped".into()));
}
