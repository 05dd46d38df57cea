//! `delay`: the value goes on later.

use millrace_contracts::EventType;
use serde_json::{Value, json};

use crate::support::driver::Driver;
use crate::support::flow::{START, input, output, workflow};

fn delayed(config: Value) -> Value {
    let delay =
        json!({"id": "wait", "type": "delay", "inputs": {"value": "$inputs.photo"}, "config": config});
    workflow(&[delay, output(json!({"value": "$nodes.wait.value"}))])
}

#[test]
fn the_value_passes_when_the_time_has() {
    let until = START.after(std::time::Duration::from_millis(500)).to_rfc3339();
    for config in [json!({"ms": 500}), json!({"until": until})] {
        let mut driver = Driver::begin(&delayed(config), input(0, &[]));
        assert_eq!(driver.status("wait"), "running");
        assert_eq!(driver.run.meta().progress.running, 1);
        assert!(driver.run.is_resting());
        // Who watches is told that it is under way, as of a job.
        let live = driver.last.live.iter().map(|(_, event)| event);
        let told: Vec<_> = live.filter(|event| event.node_id == Some("wait".into())).collect();
        let begun = json!({"attempt": 1, "started_at": START, "until": START.0 + 500});
        assert_eq!((told.len(), told[0].kind, &told[0].data), (1, EventType::NodeStarted, &begun));
        driver.advance(499);
        assert_eq!(driver.run_status(), "running");
        driver.advance(1);
        assert_eq!(driver.outputs()["out"]["value"], json!({"photo": 1}));
        assert!(!driver.run.is_resting());
        let record = driver.record("wait");
        assert_eq!((record.started_at, record.completed_at), (Some(START), Some(driver.now)));
    }
}

#[test]
fn a_time_that_has_passed_needs_no_alarm() {
    for config in [json!({"ms": 0}), json!({"until": "2020-01-01T00:00:00Z"})] {
        let driver = Driver::begin(&delayed(config), input(0, &[]));
        assert_eq!((driver.run_status(), driver.timers.len()), ("completed".into(), 0));
    }
}

#[test]
fn a_time_that_is_none_fails_the_node() {
    let config = json!({"ms": "$inputs.wait"});
    let mut definition = delayed(config);
    let wait = json!({"id": "wait_ms", "type": "parameter_input", "config": {"kind": "any"}});
    definition["nodes"].as_array_mut().unwrap().push(wait);
    definition["nodes"][4]["config"]["ms"] = json!("$inputs.wait_ms");
    let mut given = input(0, &[]);
    given["wait_ms"] = json!("soon");
    let driver = Driver::begin(&definition, given);
    assert_eq!(driver.run_status(), "failed");
    assert_eq!(driver.run.meta().error.as_ref().unwrap().kind.as_str(), "INVALID_CONFIG");
}

#[test]
fn the_same_alarm_twice_passes_the_value_once() {
    let mut driver = Driver::begin(&delayed(json!({"ms": 5})), input(0, &[]));
    let (due, timer) = driver.next_timer().unwrap();
    driver.now = due;
    let alarm = millrace_contracts::message::Message::Timer(timer);
    driver.step(&[alarm.clone(), alarm]);
    assert_eq!(driver.run_status(), "completed");
}
