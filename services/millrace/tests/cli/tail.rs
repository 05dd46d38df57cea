//! `millrace tail` over connections that break.

use crate::support::{Api, GOOD, millrace};

#[test]
fn the_events_of_a_run_go_on_where_they_broke_off() {
    let api = Api::start();
    let output = millrace(&["tail", "--execution", GOOD, "--url", &api.url]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{text}{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(api.resumed_after(), ["", "1-1"]);
    assert_eq!(text.matches("node.completed").count(), 2, "{text}");
}

#[test]
fn the_events_of_all_runs_go_on_until_the_api_refuses() {
    let api = Api::start();
    let output = millrace(&["tail", "--url", &api.url]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{text}{error}");
    let order = ["node.completed", "-- the connection broke off", " completed", "-- reconnect"];
    let places: Vec<_> = order.iter().map(|part| text.find(part)).collect();
    assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{text}");
    assert!(error.contains("No more"), "{error}");
}

#[test]
fn an_api_that_is_not_there_is_told_of_at_once() {
    let output = millrace(&["tail", "--url", "http://127.0.0.1:1"]).output().unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{error}");
    assert!(error.contains("127.0.0.1:1") && !error.contains("trying again"), "{error}");
}
