//! A run uses one copy of a model throughout.

use millrace_contracts::job::{JobMetrics, JobOutcome};
use serde_json::{Value, json};

use crate::support::driver::Driver;
use crate::support::flow::{input, map, workflow};

fn detect(id: &str, image: &str) -> Value {
    json!({"id": id, "type": "detection", "inputs": {"image": image}, "config": {"model_id": "m"}})
}

fn used(digest: &str) -> JobOutcome {
    let metrics = Box::new(JobMetrics { model_digest: Some(digest.into()), ..JobMetrics::default() });
    let outputs = map(json!({"detections": {"items": []}, "count": 0, "classes": []}));
    JobOutcome::Completed { outputs, metrics, warnings: Vec::new() }
}

/// `a` and `b` side by side; `later` after `a`.
fn running() -> Driver {
    let after = json!({"id": "cut", "type": "crop", "inputs": {"image": "$inputs.photo", "detections": "$nodes.a.detections"},
        "config": {"mode": "detections"}});
    let each = json!({"id": "each", "type": "for_each", "inputs": {"items": "$nodes.cut.crops"}});
    let nodes = [
        detect("a", "$inputs.photo"),
        detect("b", "$inputs.photo"),
        after,
        each,
        detect("later", "$nodes.each.item"),
        json!({"id": "all", "type": "collect", "inputs": {"item": "$nodes.later.count"}}),
    ];
    Driver::begin(&workflow(&nodes), input(0, &[]))
}

fn digest(driver: &Driver, place: &str) -> Option<String> {
    driver.job(place).model.unwrap().digest.map(|digest| digest.to_string())
}

#[test]
fn later_jobs_ask_for_the_copy_of_the_first_result() {
    let mut driver = running();
    assert_eq!(digest(&driver, "a"), None, "nobody knows yet");
    driver.report("a", used("one"));
    driver.reload();
    driver.complete("cut", json!({"crops": [{"crop": 1}], "detections": []}));
    assert_eq!(digest(&driver, "later[0]").as_deref(), Some("one"));
    assert_eq!(driver.record("a").metrics.unwrap().model_digest, Some("one".into()));
}

#[test]
fn a_result_of_another_copy_is_made_again_with_the_right_one() {
    let mut driver = running();
    driver.report("a", used("one"));
    driver.report("b", used("two"));
    assert_eq!(driver.status("b"), "pending", "the attempt is void; another follows");
    driver.advance(60_000);
    assert_eq!(driver.job("b").attempt, 2);
    assert_eq!(digest(&driver, "b").as_deref(), Some("one"));
    driver.report("b", used("one"));
    assert_eq!(driver.status("b"), "completed");
    assert_eq!(driver.run.meta().jobs_failed, 1);
}
