//! `millrace schedules` as the api meets it.

use serde_json::{Value, json};

use crate::support::{Api, GOOD, SCHEDULE, millrace};

/// Runs `millrace schedules` and gives what it sent.
fn sent(api: &Api, words: &[&str]) -> Value {
    let output =
        millrace(&["schedules"]).args(words).args(["--url", &api.url]).output().expect("the binary runs");
    assert_eq!(output.status.code(), Some(0), "{words:?}: {output:?}");
    serde_json::from_str(&api.submitted()).expect("what it sends is JSON")
}

#[test]
fn a_schedule_is_made_with_the_flags_of_its_runs() {
    let api = Api::start();
    let flags = ["--label", "team=vision", "--priority", "low", "--timeout", "90s", "--jitter", "1s"];
    let expected = json!({"cron": "@daily", "timezone": "UTC", "overlap": "skip", "input": {}, "jitter_ms": 1_000,
        "labels": {"team": "vision"}, "priority": "low", "timeout_ms": 90_000});
    assert_eq!(sent(&api, &[&["create", GOOD, "@daily"], &flags[..]].concat()), expected);
}

#[test]
fn what_a_schedule_holds_stays_when_it_is_switched_off() {
    let api = Api::start();
    let changed = sent(&api, &["disable", GOOD]);
    let mut expected = SCHEDULE.clone();
    let fields = expected.as_object_mut().unwrap();
    for of_the_server in [
        "id",
        "workflow_id",
        "revision",
        "next_at",
        "upcoming",
        "waiting_at",
        "last",
        "last_run",
        "created_at",
        "updated_at",
        "links",
    ] {
        fields.remove(of_the_server);
    }
    fields["enabled"] = json!(false);
    assert_eq!(changed, expected);
}
