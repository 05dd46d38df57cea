//! Timeouts: of an attempt, and of the run.

use millrace_contracts::ErrorKind::Network;
use serde_json::json;

use crate::support::driver::Driver;
use crate::support::flow::{input, job, with, workflow};

#[test]
fn an_attempt_that_takes_too_long_fails_and_is_abandoned() {
    let definition = workflow(&[with(job("a", "$inputs.photo"), json!({"timeout_ms": 100}))]);
    let mut driver = Driver::begin(&definition, input(0, &[]));
    assert_eq!(driver.job("a").deadline, Some(driver.now.after(std::time::Duration::from_millis(100))));
    driver.advance(99);
    assert_eq!(driver.run_status(), "running");
    driver.advance(1);
    assert_eq!((driver.status("a"), driver.run_status()), ("timed_out".into(), "failed".into()));
    assert_eq!(driver.abandoned, [driver.job("a").id]);
    assert_eq!(driver.record("a").started_at, None, "no worker ever took it");
    assert!(!driver.done("a").needed, "the result comes too late");
}

#[test]
fn every_attempt_has_its_own_time() {
    let node = json!({"timeout_ms": 100, "retry": {"max_attempts": 2, "initial_ms": 1_000, "jitter": 0.0}});
    let definition = workflow(&[with(job("a", "$inputs.photo"), node)]);
    let mut driver = Driver::begin(&definition, input(0, &[]));
    driver.advance(100);
    assert_eq!(driver.status("a"), "pending");
    assert_eq!(driver.timers.len(), 1, "only the back-off's alarm is set");
    driver.advance(1_000);
    driver.advance(99);
    assert_eq!(driver.record("a").attempt, 2);
    driver.done("a");
    assert_eq!(driver.run_status(), "completed");
    assert!(driver.timers.is_empty());
}

#[test]
fn an_alarm_of_an_attempt_that_is_over_changes_nothing() {
    let node = json!({"timeout_ms": 100, "retry": {"max_attempts": 3}});
    let definition = workflow(&[with(job("a", "$inputs.photo"), node)]);
    let mut driver = Driver::begin(&definition, input(0, &[]));
    let (_, timer) = driver.next_timer().unwrap();
    let alarm = millrace_contracts::message::Message::Timer(timer);
    driver.fail("a", Network);
    assert!(!driver.step(std::slice::from_ref(&alarm)).needed, "in the back-off");
    driver.advance(10_000_000);
    assert!(!driver.step(&[alarm]).needed, "later");
}

#[test]
fn a_run_that_takes_too_long_is_timed_out() {
    let mut definition = workflow(&[with(job("a", "$inputs.photo"), json!({"timeout_ms": 1_000}))]);
    definition["timeout_ms"] = json!(500);
    let mut driver = Driver::begin(&definition, input(0, &[]));
    assert_eq!(driver.job("a").deadline, Some(driver.now.after(std::time::Duration::from_millis(500))));
    driver.advance(10_000);
    assert_eq!(driver.run_status(), "timed_out");
    assert_eq!(driver.status("a"), "cancelled");
    assert_eq!(driver.told().last().unwrap(), "failed timed_out");
    assert!(driver.timers.is_empty());
}

#[test]
fn the_end_of_the_run_clears_its_alarm() {
    let mut definition = workflow(&[job("a", "$inputs.photo")]);
    definition["timeout_ms"] = json!(500);
    let mut driver = Driver::begin(&definition, input(0, &[]));
    assert_eq!(driver.timers.len(), 1);
    driver.done("a");
    assert!(driver.timers.is_empty());
}
