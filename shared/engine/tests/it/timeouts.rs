//! Timeouts: of an attempt, and of the run.

use millrace_contracts::ErrorKind::{Cancelled, Network};
use millrace_contracts::message::Accepted;
use millrace_contracts::{JobError, UnixMillis};
use millrace_engine::{Execution, Settings};
use serde_json::json;

use crate::support::driver::Driver;
use crate::support::flow::{START, accepted, input, job, map, output, with, workflow};

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

fn delayed(policy: serde_json::Value) -> serde_json::Value {
    let delay =
        json!({"id": "wait", "type": "delay", "inputs": {"value": "$inputs.photo"}, "config": {"ms": 5_000}});
    workflow(&[with(delay, policy), output(json!({"value": "$nodes.wait.value", "n": "$inputs.n"}))])
}

#[test]
fn a_delay_that_is_longer_than_it_may_be_is_timed_out() {
    let mut driver = Driver::begin(&delayed(json!({"timeout_ms": 200})), input(0, &[]));
    assert_eq!(driver.timers.len(), 1, "the alarm that comes first is the only one");
    driver.advance(199);
    assert_eq!(driver.status("wait"), "running");
    driver.reload();
    driver.advance(1);
    assert_eq!((driver.status("wait"), driver.run_status()), ("timed_out".into(), "failed".into()));
    let meta = driver.run.meta();
    assert_eq!((meta.progress.running, meta.jobs_failed), (0, 0), "it was no job");
    assert!(driver.timers.is_empty());
}

#[test]
fn the_policy_says_what_a_delay_that_is_too_long_means() {
    let policy = json!({"timeout_ms": 200, "on_error": "skip"});
    let mut driver = Driver::begin(&delayed(policy), input(0, &[]));
    driver.advance(200);
    assert_eq!((driver.status("wait"), driver.run_status()), ("timed_out".into(), "completed".into()));
    assert_eq!(driver.outputs()["out"], json!({"value": null, "n": 3}));
    // One that is no longer than it may be is not concerned.
    let mut driver = Driver::begin(&delayed(json!({"timeout_ms": 5_000})), input(0, &[]));
    driver.advance(5_000);
    assert_eq!(driver.run_status(), "completed");
}

#[test]
fn the_clock_of_a_run_goes_on_in_its_next_life() {
    let mut definition = workflow(&[job("a", "$inputs.photo")]);
    definition["timeout_ms"] = json!(15_000);
    let began = START;
    let rebuilt = |epoch| Accepted {
        epoch,
        started_at: Some(UnixMillis(began.0 - 10_000)),
        ..accepted(1, map(input(0, &[])))
    };
    let mut driver = Driver::start(&definition, rebuilt(2), Settings::default(), Vec::new());
    assert_eq!(driver.run.meta().started_at, Some(UnixMillis(began.0 - 10_000)));
    assert_eq!(driver.job("a").deadline, Some(UnixMillis(began.0 + 5_000)));
    driver.advance(4_999);
    assert_eq!(driver.run_status(), "running");
    driver.advance(1);
    assert_eq!(driver.run_status(), "timed_out");
}

#[test]
fn a_run_that_ends_on_being_begun_again_began_when_it_did() {
    let began = Some(UnixMillis(START.0 - 10_000));
    let accepted = |started_at| Accepted { started_at, ..accepted(1, map(input(0, &[]))) };
    let error = || JobError::new(Cancelled, "as the test says");
    let refuse = |started_at| Execution::refuse(accepted(started_at), Settings::default(), error(), START).0;
    assert_eq!(refuse(began).meta().started_at, began);
    assert_eq!(refuse(None).meta().started_at, Some(START));
    let withdraw =
        |started_at| Execution::withdraw(None, accepted(started_at), Settings::default(), error(), START);
    let (run, effects) = withdraw(began);
    assert_eq!(run.meta().started_at, began);
    assert_eq!(effects.durable[0].data["started_at"], json!(began), "as it is recorded");
    assert_eq!(withdraw(None).0.meta().started_at, None, "it never began");
}
