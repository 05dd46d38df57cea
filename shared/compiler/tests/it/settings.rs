//! Configurations and policies: every way to get them wrong, with its pointer.

use millrace_compiler::compile;
use serde_json::{Value, json};

use crate::faults::{check, configured, filtered, policy, with};

#[test]
fn a_model_may_be_named_by_a_long_address() {
    let node = |bytes: usize| {
        let config =
            json!({"model_id": format!("{:x<bytes$}", "https://models.example/"), "model_source": "url"});
        with(json!({"id": "x", "type": "detection", "inputs": {"image": "$inputs.photo"}, "config": config}))
    };
    assert!(compile(&node(2_048)).is_ok());
    check(vec![("too long", node(2_049), &["INVALID_CONFIG /nodes/2/config/model_id"])]);
}

#[test]
fn configuration() {
    check(vec![
        ("too much", configured(json!({"confidence": 1.5})), &["INVALID_CONFIG /nodes/2/config/confidence"]),
        (
            "huge",
            configured(json!({"max_detections": 1e300})),
            &["INVALID_CONFIG /nodes/2/config/max_detections"],
        ),
        (
            "wrong type",
            configured(json!({"confidence": "high"})),
            &["INVALID_CONFIG /nodes/2/config/confidence"],
        ),
        (
            "no choice",
            configured(json!({"model_source": "trainde"})),
            &["INVALID_CONFIG /nodes/2/config/model_source"],
        ),
        ("unknown", configured(json!({"confidnce": 0.5})), &["UNKNOWN_FIELD /nodes/2/config/confidnce"]),
        (
            "nested unknown",
            configured(json!({"tile": {"slice_widht": 3}})),
            &["UNKNOWN_FIELD /nodes/2/config/tile/slice_widht"],
        ),
        (
            "nested range",
            configured(json!({"tile": {"slice_width": 3}})),
            &["INVALID_CONFIG /nodes/2/config/tile/slice_width"],
        ),
        (
            "beside a selector",
            configured(json!({"tile": {"slice_width": "$nodes.detect.count", "overlap_x": 7}})),
            &["INVALID_CONFIG /nodes/2/config/tile/overlap_x"],
        ),
        (
            "missing",
            with(json!({"id": "x", "type": "detection", "inputs": {"image": "$inputs.photo"}})),
            &["MISSING_FIELD /nodes/2/config/model_id"],
        ),
    ]);
}

#[test]
fn rules_of_the_blocks_own() {
    check(vec![
        (
            "rule of its own",
            with(json!({"id": "x", "type": "resize", "inputs": {"image": "$inputs.photo"}})),
            &["INVALID_CONFIG /nodes/2/config"],
        ),
        (
            "crop without a region",
            with(
                json!({"id": "x", "type": "crop", "inputs": {"image": "$inputs.photo"}, "config": {"mode": "absolute"}}),
            ),
            &["INVALID_CONFIG /nodes/2/config/region"],
        ),
        (
            "crop without detections",
            with(json!({"id": "x", "type": "crop", "inputs": {"image": "$inputs.photo"}})),
            &["MISSING_INPUT /nodes/2/inputs/detections"],
        ),
        (
            "min above max",
            filtered(json!({"min_area": 5, "max_area": 4})),
            &["INVALID_CONFIG /nodes/2/config/min_area"],
        ),
        (
            "a zone is a polygon",
            filtered(json!({"zone": [[0, 0], [1, 1, 1]]})),
            &["INVALID_CONFIG /nodes/2/config/zone", "INVALID_CONFIG /nodes/2/config/zone/1"],
        ),
        (
            "two delays",
            with(
                json!({"id": "x", "type": "delay", "inputs": {"value": 1}, "config": {"ms": 1, "until": "2030-01-01T00:00:00Z"}}),
            ),
            &["INVALID_CONFIG /nodes/2/config/until"],
        ),
        (
            "no instant",
            with(json!({"id": "x", "type": "delay", "inputs": {"value": 1}, "config": {"until": "soon"}})),
            &["INVALID_CONFIG /nodes/2/config/until"],
        ),
        (
            "a loop's shape is fixed",
            with(
                json!({"id": "x", "type": "for_each", "inputs": {"items": [1]}, "config": {"max_parallel": "$nodes.detect.count"}}),
            ),
            &["INVALID_CONFIG /nodes/2/config/max_parallel"],
        ),
        (
            "default out of range",
            with(
                json!({"id": "x", "type": "parameter_input", "config": {"kind": "float", "default": 2, "max": 1}}),
            ),
            &["INVALID_CONFIG /nodes/2/config/default"],
        ),
        (
            "a choice of another kind",
            with(
                json!({"id": "x", "type": "parameter_input", "config": {"kind": "integer", "enum": [1, "2"]}}),
            ),
            &["INVALID_CONFIG /nodes/2/config/enum/1"],
        ),
        (
            "no kind",
            with(json!({"id": "x", "type": "parameter_input", "config": {"kind": "list<image"}})),
            &["INVALID_CONFIG /nodes/2/config/kind"],
        ),
        (
            "a case called default",
            with(
                json!({"id": "x", "type": "switch", "inputs": {"value": 1}, "config": {"cases": {"default": 1}}}),
            ),
            &["INVALID_CONFIG /nodes/2/config/cases"],
        ),
        (
            "order names no input",
            with(json!({"id": "x", "type": "first_of", "inputs": {"a": 1}, "config": {"order": ["b"]}})),
            &["INVALID_CONFIG /nodes/2/config/order"],
        ),
    ]);
}

#[test]
fn policies() {
    check(vec![
        (
            "attempts",
            policy("retry", json!({"max_attempts": 21})),
            &["INVALID_POLICY /nodes/2/retry/max_attempts"],
        ),
        (
            "negative",
            policy("retry", json!({"initial_ms": -1})),
            &["INVALID_POLICY /nodes/2/retry/initial_ms"],
        ),
        (
            "multiplier",
            policy("retry", json!({"multiplier": 0.5})),
            &["INVALID_POLICY /nodes/2/retry/multiplier"],
        ),
        ("jitter", policy("retry", json!({"jitter": 1.5})), &["INVALID_POLICY /nodes/2/retry/jitter"]),
        (
            "kinds",
            policy("retry", json!({"on": ["TIMEOUT", "TIMEUOT"]})),
            &["INVALID_POLICY /nodes/2/retry/on/1"],
        ),
        ("unknown", policy("retry", json!({"attempts": 3})), &["UNKNOWN_FIELD /nodes/2/retry/attempts"]),
        ("no object", policy("retry", json!(3)), &["INVALID_POLICY /nodes/2/retry"]),
        ("timeout", policy("timeout_ms", json!(1e20)), &["INVALID_POLICY /nodes/2/timeout_ms"]),
        ("on_error", policy("on_error", json!("ignore")), &["INVALID_POLICY /nodes/2/on_error"]),
        (
            "on_error default",
            policy("on_error", json!({"default": 1})),
            &["INVALID_POLICY /nodes/2/on_error/default"],
        ),
        ("pool", policy("pool", json!("a|b")), &["INVALID_POLICY /nodes/2/pool"]),
        ("priority", policy("priority", json!("urgent")), &["INVALID_POLICY /nodes/2/priority"]),
        ("cache", policy("cache", json!(true)), &["INVALID_POLICY /nodes/2/cache"]),
    ]);
}

#[test]
fn a_window_without_a_name_is_that_of_a_saved_workflow() {
    let window = |id: &str, config: Value| json!({"id": id, "type": "aggregation", "inputs": {"n": "$inputs.n"}, "config": config});
    let parameter = json!({"id": "n", "type": "parameter_input", "config": {"kind": "integer"}});
    let definition = json!({
        "nodes": [
            window("own", json!({"field": "n", "interval": {"runs": 2}})),
            parameter,
            window("named", json!({"field": "n", "interval": {"runs": 2}, "window": "hourly"})),
            window("one", json!({"field": "n"})),
            {"id": "call", "type": "sub_workflow", "inputs": {"n": "$inputs.n"}, "config": {"workflow": "inside"}}
        ],
        "workflows": {"inside": {"nodes": [
            parameter,
            window("deep", json!({"field": "n", "interval": {"seconds": 9}})),
            {"id": "out", "type": "json_output", "inputs": {"n": "$inputs.n"}}
        ]}}
    });
    let plan = millrace_compiler::compile(&definition).unwrap();
    let faults = millrace_compiler::nameless_windows(&plan, &definition);
    let places = faults.0.iter().map(|fault| format!("{} {}", fault.code, fault.pointer)).collect::<Vec<_>>();
    assert_eq!(places, ["INVALID_CONFIG /nodes/0/config/window", "INVALID_CONFIG /nodes/4"]);
    assert_eq!(faults.0[1].node, Some("call/deep".into()));
}
