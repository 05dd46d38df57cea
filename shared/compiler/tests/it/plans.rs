//! What a plan says of a workflow that is in order.

use millrace_compiler::plan::{Action, Plan, Selector, Template};
use millrace_compiler::{Logic, compile, pin};
use millrace_contracts::definition::{CachePolicy, OnError};
use millrace_contracts::job::Priority;
use millrace_contracts::{ErrorKind, Kind};
use serde_json::{Value, json};

use crate::{plan, workflow};

fn demo() -> Value {
    json!({
        "name": "count-shapes",
        "inputs_example": {"photo": "blob:…"},
        "nodes": [
            {"id": "answer", "type": "json_output",
             "inputs": {"count": "$nodes.detect.count", "picture": "$nodes.draw.image", "all": "$nodes.detect.*"}},
            {"id": "photo", "type": "image_input"},
            {"id": "min", "type": "parameter_input", "config": {"kind": "float", "default": 0.4}},
            {"id": "detect", "type": "detection@1",
             "inputs": {"image": "$inputs.photo"},
             "config": {"model_id": "shapes-detector", "confidence": "$inputs.min"},
             "retry": {"max_attempts": 3, "on": ["TIMEOUT"]}, "timeout_ms": 30000,
             "on_error": {"default": {"count": 0}}, "pool": "heavy", "priority": "high", "cache": "off"},
            {"id": "draw", "type": "draw_boxes",
             "inputs": {"image": "$inputs.photo", "detections": "$steps.detect.detections"}}
        ],
        "timeout_ms": 60000, "max_concurrency": 8, "weight": 4,
        "ui": {"positions": {"detect": [320, 80]}}
    })
}

#[test]
fn a_plan_is_shareable() {
    fn shareable<T: Send + Sync + 'static>() {}
    shareable::<Plan>();
}

#[test]
fn nodes_come_upstream_first_and_know_each_other() {
    let plan = compile(&demo()).unwrap();
    assert_eq!(plan.name, "count-shapes");
    assert_eq!((plan.limits.timeout_ms, plan.limits.max_concurrency), (Some(60_000), Some(8)));
    assert_eq!(plan.limits.weight, Some(4));
    assert_eq!(plan.edges, 7);
    for (index, node) in plan.iter() {
        assert_eq!(plan.find(&node.id), Some(index));
        assert!(node.upstream.iter().all(|source| *source < index));
        assert!(node.upstream.iter().all(|source| plan.node(*source).downstream.contains(&index)));
        assert!(node.downstream.iter().all(|next| plan.node(*next).upstream.contains(&index)));
    }
    assert_eq!(plan.scopes[0].members.len(), 5);
}

#[test]
fn a_node_carries_its_policies() {
    let plan = compile(&demo()).unwrap();
    let find = |id: &str| plan.find(&id.into()).unwrap();
    let detect = plan.node(find("detect"));
    assert_eq!(detect.block, "detection@1");
    assert!(matches!(detect.action, Action::Job { model: true }));
    assert_eq!(detect.policy.retry.max_attempts, 3);
    assert_eq!(detect.policy.retry.on, [ErrorKind::Timeout]);
    assert_eq!(detect.policy.timeout_ms, Some(30_000));
    assert_eq!(detect.policy.priority, Some(Priority::High));
    assert_eq!(detect.policy.cache, CachePolicy::Off);
    assert_eq!(detect.policy.pool.as_str(), "heavy");
    assert!(matches!(&detect.policy.on_error, OnError::Default(values) if values["count"] == 0));
    assert_eq!(plan.node(find("draw")).policy.pool.as_str(), "cpu");
}

#[test]
fn a_node_carries_its_inputs_and_settings() {
    let plan = compile(&demo()).unwrap();
    let find = |id: &str| plan.find(&id.into()).unwrap();
    let detect = plan.node(find("detect"));
    assert_eq!(detect.inputs[0].kind, Kind::Image);
    assert!(detect.inputs[0].required);
    let Template::Object(config) = &detect.config else { panic!("{:?}", detect.config) };
    let field = |name: &str| &config.iter().find(|(own, _)| own == name).unwrap().1;
    assert_eq!(*field("confidence"), Template::Select(Selector::Port(find("min"), "value".to_owned())));
    assert_eq!(*field("iou_threshold"), Template::Literal(json!(0.45)));
    assert_eq!(*field("max_detections"), Template::Literal(json!(300)));
    assert_eq!(*field("model_source"), Template::Literal(json!("pretrained")));
    let draw = plan.node(find("draw"));
    assert!(matches!(draw.config, Template::Literal(Value::Object(_))));
    assert!(matches!(draw.action, Action::Job { model: false }));
    let answer = plan.node(find("answer"));
    assert!(matches!(answer.action, Action::Output));
    assert_eq!(answer.inputs[2].value, Template::Select(Selector::All(find("detect"))));
    assert!(matches!(plan.node(find("photo")).action, Action::Input { port: "image", pictures: true }));
    assert!(matches!(plan.node(find("min")).action, Action::Input { port: "value", pictures: false }));
}

#[test]
fn literals_selectors_and_dollars() {
    let plan = plan(&json!([
        {"id": "n", "type": "parameter_input", "config": {"kind": "integer", "description": "$$ only"}},
        {"id": "out", "type": "json_output", "inputs": {
            "plain": {"a": [1, "$$5", null]},
            "mixed": {"a": ["$inputs.n", 2], "b": "$$x"}
        }}
    ]));
    let out = plan.node(plan.find(&"out".into()).unwrap());
    let n = plan.find(&"n".into()).unwrap();
    assert_eq!(out.inputs[0].value, Template::Literal(json!({"a": [1, "$5", null]})));
    let select = Template::Select(Selector::Port(n, "value".to_owned()));
    let list = Template::List(vec![select, Template::Literal(json!(2))]);
    let mixed = vec![("a".to_owned(), list), ("b".to_owned(), Template::Literal(json!("$x")))];
    assert_eq!(out.inputs[1].value, Template::Object(mixed));
    let Template::Literal(config) = &plan.node(n).config else { panic!() };
    assert_eq!(config["description"], "$ only");
}

#[test]
fn logic_is_compiled_and_joins_take_what_comes() {
    let plan = plan(&json!([
        {"id": "n", "type": "parameter_input", "config": {"kind": "integer"}},
        {"id": "if", "type": "condition", "inputs": {"value": "$inputs.n"}, "config": {"if": "value > 3"}},
        {"id": "by", "type": "switch", "inputs": {"value": "$inputs.n"}, "config": {"cases": {"one": 1, "two": 2}}},
        {"id": "join", "type": "first_of", "inputs": {"a": "$nodes.if.true", "b": "$nodes.by.two", "c": "$nodes.by.default"}},
        {"id": "wait", "type": "delay", "inputs": {"value": "$nodes.join.value"}, "config": {"ms": 5}}
    ]));
    let node = |id: &str| plan.node(plan.find(&id.into()).unwrap());
    assert!(matches!(node("if").action, Action::Logic(Logic::Condition(_))));
    assert!(matches!(node("by").action, Action::Logic(Logic::Switch)));
    assert!(matches!(node("join").action, Action::Logic(Logic::FirstOf)));
    assert!(matches!(node("wait").action, Action::Delay));
    assert!(node("join").inputs.iter().all(|input| !input.required));
    assert!(node("by").inputs[0].required);
    assert!(!node("if").inputs[0].required);
}

#[test]
fn kinds_flow_through_control_blocks() {
    // A picture through a condition and a join is still a picture.
    plan(&json!([
        {"id": "photo", "type": "image_input"},
        {"id": "n", "type": "parameter_input", "config": {"kind": "integer"}},
        {"id": "if", "type": "condition", "inputs": {"value": "$inputs.photo", "n": "$inputs.n"}, "config": {"if": "n > 3"}},
        {"id": "small", "type": "resize", "inputs": {"image": "$nodes.if.true"}, "config": {"width": 9}},
        {"id": "join", "type": "first_of", "inputs": {"a": "$nodes.small.image", "b": "$nodes.if.false"}},
        {"id": "last", "type": "resize", "inputs": {"image": "$nodes.join.value"}, "config": {"height": 9}}
    ]));
    let wrong = workflow(&json!([
        {"id": "n", "type": "parameter_input", "config": {"kind": "integer"}},
        {"id": "if", "type": "condition", "inputs": {"value": "$inputs.n"}, "config": {"if": "value > 3"}},
        {"id": "small", "type": "resize", "inputs": {"image": "$nodes.if.true"}, "config": {"width": 9}}
    ]));
    assert_eq!(crate::faults(&wrong), ["KIND_MISMATCH /nodes/2/inputs/image"]);
}

#[test]
fn saving_pins_versions() {
    let pinned = pin(&demo()).unwrap();
    let types = pinned["nodes"].as_array().unwrap().iter().map(|node| node["type"].as_str().unwrap());
    assert_eq!(
        types.collect::<Vec<_>>(),
        ["json_output@1", "image_input@1", "parameter_input@1", "detection@1", "draw_boxes@1"]
    );
    assert_eq!(pinned["ui"], demo()["ui"]);
    assert_eq!(pin(&pinned).unwrap(), pinned);
}

#[test]
fn whole_numbers_may_be_written_with_a_point() {
    let plan = plan(&json!([
        {"id": "photo", "type": "image_input", "config": {"max_pixels": 1000.0, "list": null}},
        {"id": "small", "type": "resize", "inputs": {"image": "$inputs.photo"}, "config": {"width": 64.0}}
    ]));
    let small = plan.node(plan.find(&"small".into()).unwrap());
    let Template::Literal(config) = &small.config else { panic!() };
    assert!(config["width"].is_u64());
    assert_eq!(plan.inputs()[0].image.as_ref().unwrap().max_pixels, 1000);
}

#[test]
fn skips_reach_what_cannot_do_without() {
    let plan = plan(&json!([
        {"id": "photo", "type": "image_input"},
        {"id": "dets", "type": "parameter_input", "config": {"kind": "detections"}},
        {"id": "cut", "type": "crop", "inputs": {"image": "$inputs.photo", "detections": "$inputs.dets"}},
        {"id": "left", "type": "crop", "inputs": {"image": "$inputs.photo", "detections": "$inputs.dets"},
         "config": {"mode": "relative", "region": [0, 0, 0.5, 1]}},
        {"id": "one", "type": "json_output", "inputs": {"a": "$inputs.photo", "note": "x"}},
        {"id": "two", "type": "json_output", "inputs": {"a": "$inputs.photo", "b": "$inputs.dets"}},
        {"id": "segment", "type": "segmentation", "inputs": {"image": "$inputs.photo"}, "config": {"model_id": "m"}},
        {"id": "masked", "type": "blur_region", "inputs": {"image": "$inputs.photo", "masks": "$nodes.segment.masks"}},
        {"id": "either", "type": "blur_region", "inputs": {
            "image": "$inputs.photo", "detections": "$inputs.dets", "masks": "$nodes.segment.masks"}}
    ]));
    let required = |id: &str| {
        let inputs = &plan.node(plan.find(&id.into()).unwrap()).inputs;
        inputs.iter().map(|input| input.required).collect::<Vec<_>>()
    };
    assert_eq!(required("cut"), [true, true]);
    assert_eq!(required("left"), [true, false]);
    assert_eq!(required("masked"), [true, true], "no picture with nothing hidden is made");
    assert_eq!(required("either"), [true, false, false]);
    assert_eq!(required("one"), [true, true]);
    assert_eq!(required("two"), [false, false]);
    let does_without = |id: &str, skipped: &[&str]| {
        let plan_node = plan.node(plan.find(&id.into()).unwrap());
        plan_node.does_without(skipped)
    };
    assert!(does_without("either", &["masks"]) && does_without("either", &["detections"]));
    assert!(!does_without("either", &["masks", "detections"]), "nor is one where both are missing");
    assert!(does_without("left", &["detections"]) && does_without("two", &["a", "b"]));
}

#[test]
fn a_node_goes_to_its_blocks_pool_unless_it_says_otherwise() {
    let plan = plan(&json!([
        {"id": "photo", "type": "image_input"},
        {"id": "small", "type": "resize", "inputs": {"image": "$inputs.photo"}, "config": {"width": 8}},
        {"id": "found", "type": "detection", "inputs": {"image": "$inputs.photo"}, "config": {"model_id": "m"}},
        {"id": "moved", "type": "detection", "inputs": {"image": "$inputs.photo"}, "config": {"model_id": "m"},
         "pool": "heavy"}
    ]));
    let pool = |id: &str| plan.node(plan.find(&id.into()).unwrap()).policy.pool.to_string();
    assert_eq!([pool("small"), pool("found"), pool("moved")], ["cpu", "fast", "heavy"]);
}

#[test]
fn a_transform_knows_who_may_follow_in_the_same_job() {
    let resize = |id: &str, image: &str| json!({"id": id, "type": "resize", "inputs": {"image": image}, "config": {"width": 8}});
    let with = |mut node: Value, field: &str, value: Value| {
        node[field] = value;
        node
    };
    let next = |nodes: Vec<Value>| {
        let photo = json!({"id": "photo", "type": "image_input"});
        let all: Vec<Value> = [photo, resize("a", "$inputs.photo")].into_iter().chain(nodes).collect();
        let plan = plan(&json!(all));
        let of = |id: &str| {
            plan.node(plan.find(&id.into()).unwrap()).next.map(|next| plan.node(next).id.to_string())
        };
        assert_eq!(of("photo"), None, "an input is no transform");
        of("a")
    };
    let b = || resize("b", "$nodes.a.image");
    assert_eq!(next(vec![b()]).as_deref(), Some("b"));
    let shown = json!({"id": "shown", "type": "json_output", "inputs": {"image": "$nodes.a.image"}});
    assert_eq!(next(vec![b(), shown]).as_deref(), Some("b"), "an output holds nobody up");
    assert_eq!(next(vec![b(), resize("c", "$nodes.a.image")]), None, "the other would have to wait");
    assert_eq!(next(vec![with(b(), "timeout_ms", json!(1000))]), None, "its time is its own");
    assert_eq!(next(vec![with(b(), "pool", json!("heavy"))]), None);
    assert_eq!(next(vec![with(b(), "priority", json!("low"))]), None);
    let tile = json!({"id": "b", "type": "tile", "inputs": {"image": "$nodes.a.image"}});
    assert_eq!(next(vec![tile]).as_deref(), Some("b"));
    let model = json!({"id": "b", "type": "detection", "inputs": {"image": "$nodes.a.image"}, "config": {"model_id": "m"}});
    assert_eq!(next(vec![model]), None, "models have queues of their own");
}
