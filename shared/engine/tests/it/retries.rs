//! Retries: how many, after what, when; and what they do to limits and counters.

use millrace_contracts::ErrorKind::{self, InvalidInput, Network, OutOfMemory, Timeout, WorkerUnavailable};
use serde_json::{Value, json};

use crate::support::driver::Driver;
use crate::support::flow::{input, job, output, with, workflow};

fn retrying(retry: Value) -> Value {
    let node = with(job("a", "$inputs.photo"), json!({"retry": retry}));
    workflow(&[node, output(json!({"image": "$nodes.a.image"}))])
}

#[test]
fn attempts_follow_the_policy_and_the_kind() {
    let cases: [(Value, ErrorKind, u32); 7] = [
        (json!({"max_attempts": 3}), Timeout, 3),
        (json!({"max_attempts": 3}), InvalidInput, 1),
        (json!({"max_attempts": 4, "on": ["INVALID_INPUT"]}), InvalidInput, 4),
        (json!({"max_attempts": 4, "on": ["INVALID_INPUT"]}), Timeout, 1),
        (json!({}), WorkerUnavailable, 3),
        (json!({}), OutOfMemory, 2),
        (json!({"max_attempts": 2}), Network, 3),
    ];
    for (retry, kind, attempts) in cases {
        let mut driver = Driver::begin(&retrying(retry.clone()), input(0, &[]));
        for attempt in 1..=attempts {
            assert_eq!(driver.job("a").attempt, attempt, "{retry} {kind}");
            driver.fail("a", kind);
            driver.advance(100_000);
        }
        assert_eq!(driver.run_status(), "failed", "{retry} {kind}");
        assert_eq!(driver.run.meta().jobs_failed, u64::from(attempts));
        assert_eq!(driver.sent.len(), attempts as usize);
    }
}

#[test]
fn a_later_attempt_can_succeed_and_leaves_no_error_behind() {
    let mut driver = Driver::begin(&retrying(json!({"max_attempts": 2})), input(0, &[]));
    driver.fail("a", Network);
    let waiting = driver.record("a");
    assert_eq!((waiting.status.as_str(), waiting.attempt, waiting.at_pool), ("pending", 1, false));
    assert_eq!(driver.told().last().unwrap(), "node:retrying a");
    assert_eq!(driver.run.meta().progress.running, 0);
    driver.advance(10_000);
    driver.done("a");
    assert_eq!((driver.record("a").attempt, driver.record("a").error), (2, None));
    let meta = driver.run.meta();
    assert_eq!((meta.jobs_completed, meta.jobs_failed), (1, 1));
}

#[test]
fn pauses_grow_and_are_told_beforehand() {
    let retry =
        json!({"max_attempts": 4, "initial_ms": 100, "multiplier": 3.0, "max_ms": 500, "jitter": 0.0});
    let mut driver = Driver::begin(&retrying(retry), input(0, &[]));
    for pause in [100, 300, 500] {
        driver.fail("a", Timeout);
        let told = driver.log.last().unwrap().data["next_attempt_at"].as_i64().unwrap();
        assert_eq!(told, driver.now.0 + pause);
        driver.advance(pause as u64 - 1);
        assert_eq!(driver.record("a").status.as_str(), "pending");
        driver.advance(1);
        assert_eq!(driver.record("a").status.as_str(), "queued");
    }
}

#[test]
fn without_a_pause_the_next_attempt_begins_in_the_same_step() {
    let mut driver = Driver::begin(&retrying(json!({"max_attempts": 2, "initial_ms": 0})), input(0, &[]));
    let commit = driver.fail("a", Network);
    assert_eq!(commit.jobs.len(), 1);
    assert_eq!(driver.job("a").attempt, 2);
}

#[test]
fn the_same_alarm_twice_begins_one_attempt() {
    let mut driver = Driver::begin(&retrying(json!({"max_attempts": 3})), input(0, &[]));
    driver.fail("a", Network);
    let (due, timer) = driver.next_timer().unwrap();
    driver.now = due;
    let message = millrace_contracts::message::Message::Timer(timer);
    driver.step(&[message.clone(), message.clone()]);
    assert_eq!(driver.places(), ["a#1", "a#2"]);
    assert!(!driver.step(&[message]).needed);
}

#[test]
fn a_report_on_the_attempt_before_is_stale() {
    let mut driver = Driver::begin(&retrying(json!({"max_attempts": 2})), input(0, &[]));
    let first = driver.job("a");
    driver.fail("a", Network);
    let now = driver.now;
    let late = |job| {
        crate::support::work::report(job, "w1", now, crate::support::work::completed(serde_json::Map::new()))
    };
    assert!(!driver.step(&[late(&first)]).needed, "in the back-off");
    driver.advance(10_000);
    assert!(!driver.step(&[late(&first)]).needed, "in the next attempt");
    driver.done("a");
    assert_eq!(driver.run_status(), "completed");
}

#[test]
fn a_cancel_in_the_back_off_ends_the_node_and_its_alarm() {
    let mut driver = Driver::begin(&retrying(json!({"max_attempts": 2})), input(0, &[]));
    driver.fail("a", Network);
    driver.cancel();
    assert_eq!(driver.status("a"), "cancelled");
    assert!(driver.timers.is_empty(), "{:?}", driver.timers);
    assert!(driver.abandoned.is_empty(), "no worker has it");
    let told =
        driver.log.iter().find(|event| event.kind == millrace_contracts::EventType::NodeCancelled).unwrap();
    assert_eq!(told.data.get("job"), None, "the failed attempt's job is not told to be cancelled");
}

#[test]
fn metrics_and_worker_of_a_failed_attempt_do_not_stay_with_the_next() {
    let mut driver = Driver::begin(&retrying(json!({"max_attempts": 2, "initial_ms": 0})), input(0, &[]));
    driver.fail("a", Network);
    let record = driver.record("a");
    assert_eq!((record.metrics, record.worker_id, record.started_at), (None, None, None));
}
