//! What selectors put into a configuration keeps to the ranges that hold for what is written out.

use millrace_contracts::ErrorKind;
use serde_json::{Value, json};

use crate::support::driver::Driver;
use crate::support::flow::{input, job, output, with, workflow};

const FAR_TOO_MANY: u32 = 4_000_000_000;

/// A node with `config`, in a run whose `n` is this.
fn begin(node: Value, n: u32) -> Driver {
    let definition = workflow(&[node, output(json!({"photo": "$inputs.photo"}))]);
    Driver::begin(&definition, with(input(0, &[]), json!({"n": n})))
}

fn refusal(driver: &Driver) -> (ErrorKind, String, String) {
    assert_eq!(driver.run_status(), "failed");
    let error = driver.run.meta().error.clone().unwrap();
    (error.kind, error.pointer.unwrap_or_default(), error.message)
}

#[test]
fn a_job_with_a_setting_out_of_range_reaches_no_worker() {
    let outlined = json!({"id": "draw", "type": "draw_masks", "config": {"outline": "$inputs.n"},
        "inputs": {"image": "$inputs.photo", "detections": {"items": []}}});
    let driver = begin(outlined.clone(), FAR_TOO_MANY);
    let (kind, pointer, message) = refusal(&driver);
    assert_eq!((kind, pointer.as_str()), (ErrorKind::InvalidConfig, "/config/outline"), "{message}");
    assert!(message.contains("the most allowed"), "{message}");
    assert_eq!(driver.places(), [""; 0], "nobody was asked");
    let within = begin(outlined, 3);
    assert_eq!(within.job("draw").config["outline"], 3);
}

#[test]
fn a_setting_out_of_range_follows_the_nodes_policy() {
    let shrink = json!({"id": "small", "type": "resize", "inputs": {"image": "$inputs.photo"},
        "config": {"width": "$inputs.n"}, "on_error": "skip"});
    let driver = begin(shrink, 0);
    assert_eq!((driver.status("small"), driver.run_status()), ("failed".into(), "completed".into()));
}

#[test]
fn logic_keeps_to_its_ranges_too() {
    let best = json!({"id": "best", "type": "filter", "inputs": {"items": "$inputs.list"},
        "config": {"top_n": "$inputs.n"}});
    let (kind, pointer, message) = refusal(&begin(best, FAR_TOO_MANY));
    assert_eq!((kind, pointer.as_str()), (ErrorKind::InvalidConfig, "/config/top_n"), "{message}");
}

#[test]
fn what_is_wrong_is_not_sent_behind_another_job() {
    let narrow = with(job("b", "$nodes.a.image"), json!({"config": {"width": "$inputs.n"}}));
    let definition = workflow(&[job("a", "$inputs.photo"), narrow]);
    let mut driver = Driver::begin(&definition, with(input(0, &[]), json!({"n": 0})));
    assert_eq!(driver.job("a").then.len(), 0);
    driver.done("a");
    assert_eq!(refusal(&driver).1, "/config/width");
}
