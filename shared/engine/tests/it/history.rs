//! History: after the log was lost, what the record says is done is not done again.

use std::collections::HashMap;

use millrace_contracts::NodeStatus;
use millrace_contracts::message::Message;
use millrace_engine::{Execution, Input, NodeRecord, Noop, Settings};
use serde_json::{Value, json};

use crate::support::driver::Driver;
use crate::support::flow::{accepted, collect, each, input, job, map, output, with, workflow};

/// What the record holds of `driver`'s completed node runs.
fn history(driver: &Driver) -> Vec<NodeRecord> {
    let nodes = driver.fields.iter().filter(|(field, _)| field.starts_with("n:"));
    let records = nodes.map(|(_, bytes)| serde_json::from_slice::<NodeRecord>(bytes).unwrap());
    records
        .filter(|record| record.status == NodeStatus::Completed)
        .map(|record| record.view().into())
        .collect()
}

fn rebuilt(definition: &Value, given: Value, history: Vec<NodeRecord>) -> Driver {
    let mut again = accepted(1, map(given));
    again.epoch = 2;
    Driver::start(definition, again, Settings::default(), history)
}

#[test]
fn completed_jobs_are_adopted_with_their_times_and_counted() {
    let definition = workflow(&[
        job("a", "$inputs.photo"),
        job("b", "$nodes.a.image"),
        output(json!({"image": "$nodes.b.image"})),
    ]);
    let mut lost = Driver::begin(&definition, input(0, &[]));
    lost.now = lost.now.after(std::time::Duration::from_millis(70));
    lost.done("a");
    let mut driver = rebuilt(&definition, input(0, &[]), history(&lost));
    assert_eq!(driver.places(), ["b#1"], "only what was not done is sent");
    assert_eq!(driver.log[0].epoch, Some(2));
    let (before, after) = (lost.record("a"), driver.record("a"));
    assert_eq!((before.completed_at, before.outputs), (after.completed_at, after.outputs));
    assert_eq!(driver.run.meta().jobs_completed, 1);
    assert!(driver.timers.is_empty() && driver.last.clear_timers.is_empty());
    driver.done("b");
    assert_eq!(driver.run.meta().jobs_completed, 2);
    assert_eq!(driver.outputs()["out"]["image"], "b");
}

#[test]
fn what_cannot_be_adopted_at_once_is_kept_until_it_can_whoever_holds_the_run_then() {
    let definition = workflow(&[
        with(job("a", "$inputs.photo"), json!({"on_error": {"default": {"image": {"grey": 1}}}})),
        job("b", "$nodes.a.image"),
        output(json!({"image": "$nodes.b.image"})),
    ]);
    let mut lost = Driver::begin(&definition, input(0, &[]));
    lost.fail("a", millrace_contracts::ErrorKind::InvalidInput);
    lost.done("b");
    // A failure is no result: `a` is tried again, and `b` waits for it although its own result is known.
    let mut driver = rebuilt(&definition, input(0, &[]), history(&lost));
    assert_eq!(driver.places(), ["a#1"]);
    driver.reload();
    driver.done("a");
    assert_eq!(driver.places(), ["a#1"], "b is not done again");
    assert_eq!(driver.run_status(), "completed");
}

#[test]
fn items_are_adopted_one_by_one() {
    let definition = workflow(&[
        each("each", "$inputs.list", json!({"max_parallel": 2})),
        job("a", "$nodes.each.item"),
        job("b", "$nodes.a.image"),
        collect("all", "$nodes.b.image"),
        output(json!({"items": "$nodes.all.items"})),
    ]);
    let mut lost = Driver::begin(&definition, input(4, &[]));
    for place in ["a[0]", "b[0]", "a[2]", "b[2]", "a[3]"] {
        lost.done(place);
    }
    let mut driver = rebuilt(&definition, input(4, &[]), history(&lost));
    assert_eq!(driver.places(), ["a[1]#1", "b[3]#1"]);
    driver.reload();
    for place in ["a[1]", "b[1]", "b[3]"] {
        driver.done(place);
    }
    assert_eq!(driver.outputs()["out"]["items"], json!(["b[0]", "b[1]", "b[2]", "b[3]"]));
    assert_eq!(driver.run.meta().jobs_completed, 8);
}

#[test]
fn what_was_adopted_is_not_stored_twice() {
    let definition = workflow(&[
        each("each", "$inputs.list", json!({"max_parallel": 2})),
        job("a", "$nodes.each.item"),
        collect("all", "$nodes.a.image"),
        output(json!({"count": "$nodes.all.count"})),
    ]);
    let mut lost = Driver::begin(&definition, input(30, &[]));
    lost.finish_all();
    let (plan, now) = (lost.plan.clone(), lost.now);
    let settings = Settings { step_limit: 3, ..Settings::default() };
    let mut again = accepted(1, map(input(30, &[])));
    again.epoch = 2;
    let (mut run, mut effects) = Execution::begin(plan.clone(), again, settings, history(&lost), now);
    let (mut stored, mut kept) = (HashMap::new(), Vec::new());
    loop {
        stored.extend(run.changed_fields(&effects));
        stored.retain(|field, _| !effects.removed.contains(field));
        kept.push(stored.keys().filter(|field| field.starts_with("h:")).count());
        if run.is_terminal() {
            break;
        }
        (run, _) = Execution::load(plan.clone(), &stored, settings).unwrap();
        effects = run.step(Input::Continue, now);
    }
    assert_eq!(
        (kept.first(), kept.last()),
        (Some(&30), Some(&0)),
        "only what is adopted is kept, until it is"
    );
    assert_eq!(run.outputs(), lost.outputs());
}

#[test]
fn a_run_that_was_done_is_done_again_without_a_job() {
    let definition = workflow(&[job("a", "$inputs.photo"), output(json!({"image": "$nodes.a.image"}))]);
    let mut lost = Driver::begin(&definition, input(0, &[]));
    lost.done("a");
    let driver = rebuilt(&definition, input(0, &[]), history(&lost));
    assert_eq!((driver.run_status(), driver.sent.len()), ("completed".into(), 0));
    assert_eq!(driver.outputs(), lost.outputs());
}

#[test]
fn a_delay_that_is_over_is_not_waited_for_again() {
    let delay =
        json!({"id": "wait", "type": "delay", "inputs": {"value": "$inputs.photo"}, "config": {"ms": 9}});
    let definition = workflow(&[delay, job("a", "$nodes.wait.value")]);
    let mut lost = Driver::begin(&definition, input(0, &[]));
    lost.advance(9);
    let driver = rebuilt(&definition, input(0, &[]), history(&lost));
    assert_eq!((driver.places(), driver.timers.len()), (vec!["a#1".to_owned()], 0));
}

#[test]
fn a_copy_of_an_earlier_epoch_says_that_it_is_outdated() {
    let mut driver = Driver::begin(&workflow(&[job("a", "$inputs.photo")]), input(0, &[]));
    let mut again = driver.run.accepted().clone();
    assert_eq!(driver.step(&[Message::Execute(Box::new(again.clone()))]).noop, Some(Noop::Duplicate));
    again.epoch = 2;
    assert_eq!(driver.step(&[Message::Execute(Box::new(again))]).noop, Some(Noop::Outdated));
}
