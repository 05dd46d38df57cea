//! JSON bodies of every call that takes one.

use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

use super::mutate::{damaged, damages, next, replaced, values};
use super::{expect_health, expect_sense};
use crate::support::{World, constant, show};

const CASES: usize = 1_500;

/// Each call with a body that it would take.
fn calls(workflow: &str) -> Vec<(String, Value)> {
    let at = |path: &str| path.replace("{workflow}", workflow);
    let definition = json!({"name": "all", "nodes": [
        {"id": "photo", "type": "image_input"}, {"id": "limit", "type": "parameter_input", "config": {"kind": "float", "default": 0.5}},
        {"id": "found", "type": "detection", "inputs": {"image": "$inputs.photo"}, "config": {"model_id": "shapes-detector"},
         "retry": {"max_attempts": 2, "initial_ms": 50}, "timeout_ms": 1000, "on_error": "skip"},
        {"id": "each", "type": "for_each", "inputs": {"items": "$nodes.found.detections"}},
        {"id": "if", "type": "condition", "inputs": {"value": "$nodes.found.count"}, "config": {"expression": "value > 1"}},
        {"id": "answer", "type": "json_output", "inputs": {"found": "$nodes.found.detections", "limit": "$inputs.limit"}},
    ]});
    let options = json!({"priority": "low", "pool": "cpu", "labels": {"a": "b"}, "timeout_ms": 5, "callback_url": "http://a.b/c"});
    let with = |mut body: Value| {
        body.as_object_mut().expect("an object").extend(options.as_object().expect("an object").clone());
        body
    };
    vec![
        (at("POST /api/v1/workflows"), definition.clone()),
        (at("POST /api/v1/workflows/validate"), definition),
        (at("PUT /api/v1/workflows/{workflow}"), show()),
        (
            at("POST /api/v1/workflows/{workflow}/run"),
            with(json!({"input": {"photo": "aGVsbG8=", "min": 0.4}})),
        ),
        (at("POST /api/v1/workflows/{workflow}/run-batch"), with(json!({"inputs": [{"min": 0.1}, {}]}))),
        (at("POST /api/v1/executions"), with(json!({"workflow": constant(), "input": {"min": 0.2}}))),
        (
            at("POST /api/v1/workflows/{workflow}/schedules"),
            with(
                json!({"cron": "0 6 * * *", "timezone": "UTC", "overlap": "skip", "input": {}, "enabled": true, "jitter_ms": 7}),
            ),
        ),
        (at("POST /api/v1/executions/0190a0a0-0000-7000-8000-000000000000/rerun"), json!({"from": "answer"})),
        (
            at("POST /api/v1/executions/0190a0a0-0000-7000-8000-000000000000/cancel"),
            json!({"reason": "why not"}),
        ),
        (
            at("POST /api/v1/inference/detection"),
            json!({"model_id": "m", "image": "aGVsbG8=", "config": {"confidence": 0.5}}),
        ),
        (
            at("POST /api/v1/models"),
            json!({"id": "m", "task": "detection", "files": {"model.onnx": "https://a.b/m.onnx"}}),
        ),
    ]
}

#[tokio::test]
async fn mangled_json_is_answered_and_told_what_is_wrong_with_it() -> anyhow::Result<()> {
    let world = World::start().await?;
    let calls = calls(&world.save(&show()).await?);
    let mut runner = TestRunner::deterministic();
    let case = (any::<Index>(), prop::option::weighted(0.7, (any::<Index>(), values())), damages());
    let mut refused = 0;
    for _ in 0..CASES {
        let (which, changed, damages) = next(&mut runner, &case);
        let (call, body) = which.get(&calls);
        let body = changed.map_or_else(|| body.clone(), |(at, with)| replaced(body, at, &with));
        let head = format!("{call} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n");
        let status = expect_sense(&world, &head, &damaged(body.to_string().into_bytes(), &damages)).await?;
        refused += usize::from(status >= 400);
    }
    assert!(refused > CASES / 3 && refused < CASES, "{refused} of {CASES} were refused: both must happen");
    expect_health(&world).await?;
    world.stop().await
}
