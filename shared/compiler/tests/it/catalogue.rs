//! The catalogue against the compiler: what it shows is what is accepted.

use millrace_blocks::{Category, Runner, catalogue};
use millrace_compiler::compile;
use serde_json::{Value, json};

/// The settings of a block that cannot be left out.
fn needed(name: &str) -> Value {
    match name {
        "parameter_input" => json!({"kind": "any"}),
        "classification" | "detection" | "embedding" | "segmentation" | "tensor" => json!({"model_id": "m"}),
        "resize" => json!({"width": 5}),
        "condition" => json!({"if": "true"}),
        "switch" => json!({"cases": {"a": 1}}),
        "map" => json!({"expr": "item"}),
        "delay" => json!({"ms": 1}),
        "webhook" => json!({"url": "https://example.com", "body": 1}),
        "similarity_search" => json!({"collection": "c"}),
        "sub_workflow" => json!({"workflow": "none"}),
        _ => json!({}),
    }
}

/// Optional inputs of which a block needs some.
fn one_way(name: &str) -> &'static [&'static str] {
    match name {
        "blur_region" | "draw_boxes" | "draw_masks" | "heatmap" => &["masks"],
        "comparison" => &["a", "b"],
        "embedding" | "tensor" => &["image"],
        "aggregation" => &["items"],
        _ => &[],
    }
}

#[test]
fn examples_are_right() {
    for block in catalogue().iter() {
        assert!(!block.examples.is_empty(), "{}", block.name);
        for example in &block.examples {
            let faults = compile(&json!({"nodes": [example.node]})).err().unwrap_or_default();
            let own =
                |code: &str| !matches!(code, "UNKNOWN_NODE" | "COLLECT_OUTSIDE_LOOP" | "UNKNOWN_WORKFLOW");
            let wrong = faults.0.iter().filter(|fault| own(&fault.code)).collect::<Vec<_>>();
            assert!(wrong.is_empty(), "{}: {wrong:?}", block.name);
        }
    }
}

#[test]
fn every_output_a_block_declares_can_be_read() {
    let fixed = |block: &&millrace_blocks::Block| block.outputs.placed.is_none() && !block.outputs.further;
    for block in catalogue().iter().filter(fixed) {
        let mut node = json!({"id": "x", "type": block.name, "config": needed(block.name)});
        let required = block.inputs.iter().filter(|port| port.required).map(|port| port.name);
        for name in required.chain(one_way(block.name).iter().copied()) {
            let source =
                format!("$inputs.{}", if matches!(name, "items" | "images") { "list" } else { "any" });
            node["inputs"][name] = source.into();
        }
        for output in &block.outputs.declared {
            let read = json!({"id": "o", "type": "json_output", "inputs": {"a": format!("$nodes.x.{}", output.name)}});
            let any = json!({"id": "any", "type": "parameter_input", "config": {"kind": "any"}});
            let list = json!({"id": "list", "type": "parameter_input", "config": {"kind": "list<any>"}});
            compile(&json!({"nodes": [any, list, node, read]})).unwrap();
        }
    }
}

#[test]
fn the_catalogue_is_complete_json() {
    let shown = serde_json::to_value(catalogue()).unwrap();
    let blocks = shown.as_array().unwrap();
    assert_eq!(blocks.len(), catalogue().iter().count());
    let crop = blocks.iter().find(|block| block["type"] == "crop").unwrap();
    assert_eq!(crop["id"], "crop@1");
    assert_eq!(crop["category"], "transform");
    assert_eq!(crop["runs"], json!({"by": "worker", "pool": "cpu", "model": false}));
    assert_eq!(crop["config"]["properties"]["mode"]["default"], "detections");
    assert_eq!(crop["config"]["properties"]["mode"]["enum"], json!(["detections", "absolute", "relative"]));
    assert_eq!(crop["config"]["properties"]["padding"]["default"], 0);
    assert_eq!(crop["inputs"][0]["kinds"], json!(["image"]));
    assert_eq!(crop["outputs"][0]["kind"], "list<image>");
    let map = blocks.iter().find(|block| block["type"] == "map").unwrap();
    assert_eq!(map["config"]["properties"]["expr"]["format"], "cel");
    for block in blocks {
        assert_eq!(block["config"]["additionalProperties"], false, "{}", block["type"]);
        assert!(!block["help"].as_str().unwrap().is_empty());
        let text = block["config"].to_string();
        assert!(!text.contains("$ref") && !text.contains("anyOf") && !text.contains("oneOf"), "{text}");
        for (name, field) in block["config"]["properties"].as_object().into_iter().flatten() {
            assert!(field["description"].is_string(), "{}.{name} needs a description", block["type"]);
        }
    }
}

#[test]
fn typed_configurations_read_what_the_compiler_admits() {
    use millrace_blocks::{logic, models, transforms};
    let config = |name: &str| {
        let block = catalogue().newest(name).unwrap();
        let mut config = needed(name).as_object().unwrap().clone();
        block.fill_defaults(&mut config);
        Value::Object(config)
    };
    let read: models::detection::Config = serde_json::from_value(config("detection")).unwrap();
    assert_eq!((read.confidence, read.iou_threshold, read.max_detections), (0.5, 0.45, 300));
    let read: transforms::crop::Config = serde_json::from_value(config("crop")).unwrap();
    assert_eq!(read.padding, transforms::padding::Padding::Pixels(0.0));
    let read: transforms::resize::Config = serde_json::from_value(config("resize")).unwrap();
    assert_eq!((read.width, read.height, read.pad_color.rgb), (Some(5), None, [114; 3]));
    let read: transforms::draw_boxes::Config = serde_json::from_value(config("draw_boxes")).unwrap();
    assert_eq!((read.thickness, read.text_scale), (2, 1.0));
    let read: logic::for_each::Config = serde_json::from_value(config("for_each")).unwrap();
    assert_eq!(read.max_parallel, 64);
    let _: logic::filter::Config = serde_json::from_value(config("filter")).unwrap();
}

#[test]
fn workers_run_what_has_pixels() {
    for block in catalogue().iter() {
        let pixels = matches!(block.category, Category::Model | Category::Transform);
        let worker = matches!(block.runner, Runner::Worker { .. });
        assert!(worker || !pixels, "{} has pixels and is run by {:?}", block.name, block.runner);
        assert!(!worker || block.category != Category::Logic, "{} decides, and a worker runs it", block.name);
    }
}
