//! Work by reference: what needs the blob store goes through the shell and comes back as an input.

use millrace_contracts::job::JobOutcome;
use millrace_contracts::message::Message;
use millrace_contracts::values::ValueRef;
use millrace_contracts::{ErrorKind, JobError};
use millrace_engine::{Execution, Input, Settings, ShellWorkKind};
use serde_json::{Value, json};

use crate::support::driver::Driver;
use crate::support::flow::{self, collect, condition, each, input, job, output, workflow};
use crate::support::work;

fn crops() -> Value {
    let find = json!({"id": "find", "type": "detection", "inputs": {"image": "$inputs.photo"},
        "config": {"model_id": "m"}});
    let crop = json!({"id": "crop", "type": "crop",
        "inputs": {"image": "$inputs.photo", "detections": "$nodes.find.detections"},
        "config": {"mode": "detections"}});
    workflow(&[
        find,
        crop,
        each("each", "$nodes.crop.crops", json!({"max_parallel": 2})),
        job("work", "$nodes.each.item"),
        collect("all", "$nodes.work.image"),
        output(json!({"items": "$nodes.all.items", "count": "$nodes.all.count"})),
    ])
}

#[test]
fn a_loop_walks_a_list_that_is_stored_by_reference() {
    let mut driver = Driver::begin(&crops(), input(0, &[]));
    driver.complete("find", json!({"detections": {}, "count": 5, "classes": []}));
    let list = driver.blobs.put((0..5).map(|number| json!({"crop": number})).collect());
    driver.complete("crop", json!({"crops": list, "detections": []}));
    assert_eq!(driver.job("work[1]").inputs["image"], json!({"crop": 1}));
    assert_eq!(driver.record("each").outputs.unwrap()["items"], list, "the record holds the reference");
    driver.reload();
    driver.finish_all();
    assert_eq!(driver.outputs()["out"]["count"], 5);
}

#[test]
fn a_large_result_of_logic_is_stored_by_reference() {
    let mut driver = Driver::begin(&crops(), input(0, &[]));
    driver.complete("find", json!({"detections": {}, "count": 5, "classes": []}));
    driver.complete("crop", json!({"crops": [1, 2], "detections": []}));
    let large = "x".repeat(6_000);
    driver.complete("work[0]", json!({"image": large}));
    driver.complete("work[1]", json!({"image": large}));
    let items = driver.outputs()["out"]["items"].clone();
    assert!(ValueRef::from_value(&items).is_some(), "{items}");
    assert_eq!(driver.blobs.resolve(&items), json!([large, large]));
}

#[test]
fn logic_sees_values_not_references() {
    let definition = workflow(&[
        job("a", "$inputs.photo"),
        json!({"id": "if", "type": "condition", "inputs": {"value": "$inputs.n", "a": "$nodes.a.image"},
            "config": {"if": "a.width > 5"}}),
        output(json!({"value": "$nodes.if.true"})),
    ]);
    let mut driver = Driver::begin(&definition, input(0, &[]));
    let reference = driver.blobs.put(json!({"width": 9}));
    driver.complete("a", json!({"image": reference}));
    assert_eq!(driver.outputs()["out"]["value"], 3);
}

/// A run up to its `condition`, which needs a value by reference.
fn asking() -> (Execution, millrace_engine::Effects) {
    let definition = workflow(&[job("a", "$inputs.photo"), condition("if", "$nodes.a.image", "true")]);
    let plan = flow::compile(&definition);
    let accepted = flow::accepted(1, flow::map(input(0, &[])));
    let (mut run, effects) = Execution::begin(plan, accepted, Settings::default(), Vec::new(), flow::START);
    let job = effects.jobs[0].0.clone();
    let reference = json!({"$value": accepted_blob(), "bytes": 9});
    let outcome: JobOutcome = work::completed(flow::map(json!({"image": reference})));
    let effects = run.step(Input::Message(work::report(&job, "w1", flow::START, outcome)), flow::START);
    (run, effects)
}

fn accepted_blob() -> millrace_contracts::BlobId {
    millrace_contracts::BlobId::of(b"x")
}

#[test]
fn a_result_that_was_not_asked_for_is_void() {
    let (mut run, effects) = asking();
    assert!(matches!(effects.shell[0].kind, ShellWorkKind::Evaluate { .. }));
    let key = effects.shell[0].key.clone();
    let failure = || Err(JobError::new(ErrorKind::Internal, "the store is away"));
    run.step(Input::Worked { key: key.clone(), result: failure() }, flow::START);
    assert_eq!(run.meta().status.as_str(), "failed");
    let again = run.step(Input::Worked { key, result: failure() }, flow::START);
    assert!(again.noop.is_some() && !again.needs_commit());
}

#[test]
fn work_for_a_node_that_was_cancelled_meanwhile_is_void() {
    let (mut run, effects) = asking();
    let key = effects.shell[0].key.clone();
    let cancel = Message::Cancel { execution_id: run.accepted().execution_id, reason: String::new() };
    let end = run.step(Input::Message(cancel), flow::START);
    assert!(end.shell.is_empty());
    let late =
        run.step(Input::Worked { key, result: Err(JobError::new(ErrorKind::Internal, "x")) }, flow::START);
    assert!(!late.needs_commit());
}
