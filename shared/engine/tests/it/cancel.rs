//! Cancel: the run ends in the same step, whatever is under way.

use millrace_contracts::message::Message;
use serde_json::json;

use crate::support::driver::Driver;
use crate::support::flow::{collect, each, input, job, with, workflow};

#[test]
fn everything_that_is_open_is_cancelled_before_the_run_is() {
    let delay =
        json!({"id": "later", "type": "delay", "inputs": {"value": "$inputs.photo"}, "config": {"ms": 9}});
    let mut definition = workflow(&[
        with(job("a", "$inputs.photo"), json!({"timeout_ms": 500})),
        job("b", "$nodes.a.image"),
        delay,
        each("each", "$inputs.list", json!({"max_parallel": 2})),
        job("work", "$nodes.each.item"),
        job("next", "$nodes.work.image"),
        collect("all", "$nodes.next.image"),
    ]);
    definition["timeout_ms"] = json!(60_000);
    let mut driver = Driver::begin(&definition, input(5, &[]));
    driver.done("work[0]");
    driver.cancel();
    assert_eq!(driver.run_status(), "cancelled");
    for place in ["a", "b", "later", "work[1]", "next[0]", "next[1]", "all"] {
        assert_eq!(driver.status(place), "cancelled", "{place}");
    }
    assert_eq!(driver.status("work[2]"), "none", "never launched");
    assert_eq!(driver.record("b").started_at, None);
    assert!(driver.timers.is_empty(), "{:?}", driver.timers);
    let jobs = ["a", "work[1]", "next[0]"].map(|place| driver.job(place).id);
    assert!(jobs.iter().all(|job| driver.abandoned.contains(job)) && driver.abandoned.len() == 3);
    assert_eq!(driver.told().last().unwrap(), "cancelled");
    let error = driver.run.meta().error.clone().unwrap();
    assert_eq!((error.kind.as_str(), error.message.as_str()), ("CANCELLED", "asked"));
}

#[test]
fn a_second_cancel_and_late_reports_change_nothing() {
    let mut driver = Driver::begin(&workflow(&[job("a", "$inputs.photo")]), input(0, &[]));
    driver.cancel();
    assert!(!driver.cancel().needed);
    assert!(!driver.done("a").needed);
    assert_eq!(driver.run_status(), "cancelled");
}

#[test]
fn a_cancel_after_the_end_is_too_late() {
    let mut driver = Driver::begin(&workflow(&[job("a", "$inputs.photo")]), input(0, &[]));
    driver.done("a");
    assert!(!driver.cancel().needed);
    assert_eq!(driver.run_status(), "completed");
}

#[test]
fn a_job_that_is_cancelled_in_the_batch_that_made_it_is_not_sent() {
    let definition = workflow(&[job("a", "$inputs.photo"), job("b", "$nodes.a.image")]);
    let mut driver = Driver::begin(&definition, input(0, &[]));
    let done = crate::support::work::report(
        &driver.job("a"),
        "w1",
        driver.now,
        crate::support::work::completed(crate::support::flow::map(json!({"image": 1}))),
    );
    let cancel =
        Message::Cancel { execution_id: driver.run.accepted().execution_id, reason: "asked".to_owned() };
    let commit = driver.step(&[done, cancel]);
    assert!(commit.jobs.is_empty() && commit.abandon.is_empty(), "{commit:?}");
    assert_eq!(driver.status("b"), "cancelled");
}
