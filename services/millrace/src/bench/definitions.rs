//! The workflows and pictures of the scenarios. Results are never reused: what is measured is the work.

use serde_json::{Value, json};

/// The demo's workflow and a scene for it.
pub(crate) const DETECT: &str = include_str!("../../../../examples/detect-shapes.json");
pub(crate) const SCENE: &[u8] = include_bytes!("../../../../examples/scene.jpg");

/// An 8×8 PNG.
pub(crate) const DOT: &[u8] = &[
    0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0x00, 0x00, 0x00, 0x0d, 0x49, 0x48, 0x44, 0x52, 0x00,
    0x00, 0x00, 0x08, 0x00, 0x00, 0x00, 0x08, 0x08, 0x00, 0x00, 0x00, 0x00, 0xe1, 0x64, 0xe1, 0x57, 0x00,
    0x00, 0x00, 0x0e, 0x49, 0x44, 0x41, 0x54, 0x78, 0xda, 0x63, 0x88, 0x82, 0x02, 0x06, 0xca, 0x18, 0x00,
    0x2a, 0x75, 0x16, 0x81, 0xc1, 0x5c, 0xeb, 0x5e, 0x00, 0x00, 0x00, 0x00, 0x49, 0x45, 0x4e, 0x44, 0xae,
    0x42, 0x60, 0x82,
];

/// Steps side by side in [`dag`].
const WIDTH: usize = 8;

/// Ten steps for workers: one, eight in parallel, one. `first_of`, which the orchestrator does by itself, joins the eight.
pub(crate) fn dag() -> Value {
    let step = |id: String, source: &str| json!({"id": id, "type": "resize@1", "inputs": {"image": source}, "config": {"width": 8}, "cache": "off"});
    let mut nodes =
        vec![json!({"id": "photo", "type": "image_input"}), step("first".into(), "$inputs.photo")];
    nodes.extend((0..WIDTH).map(|number| step(format!("side{number}"), "$nodes.first.image")));
    let sides =
        (0..WIDTH).map(|number| (format!("side{number}"), json!(format!("$nodes.side{number}.image"))));
    let sides: serde_json::Map<String, Value> = sides.collect();
    let order: Vec<_> = sides.keys().cloned().collect();
    nodes.push(json!({"id": "join", "type": "first_of", "inputs": sides, "config": {"order": order}}));
    nodes.push(step("last".into(), "$nodes.join.value"));
    nodes.push(json!({"id": "answer", "type": "json_output", "inputs": {"image": "$nodes.last.image"}}));
    json!({"name": "bench-dag", "nodes": nodes})
}

/// Nothing but an input and an output.
pub(crate) fn nothing() -> Value {
    json!({"name": "bench-submit", "nodes": [
        {"id": "number", "type": "parameter_input", "config": {"kind": "integer"}},
        {"id": "answer", "type": "json_output", "inputs": {"number": "$inputs.number"}},
    ]})
}

/// Nothing but an hour's rest.
pub(crate) fn rest() -> Value {
    json!({"name": "bench-streams", "nodes": [
        {"id": "number", "type": "parameter_input", "config": {"kind": "integer", "default": 1}},
        {"id": "rest", "type": "delay", "inputs": {"value": "$inputs.number"}, "config": {"ms": 3_600_000}},
        {"id": "answer", "type": "json_output", "inputs": {"number": "$nodes.rest.value"}},
    ]})
}

/// The demo's workflow.
pub(crate) fn detect() -> Value {
    let mut definition: Value = serde_json::from_str(DETECT).expect("the shipped example is JSON");
    for node in definition["nodes"].as_array_mut().into_iter().flatten() {
        node["cache"] = json!("off");
    }
    definition
}

/// Five transforms in a row on a picture of this size. Only what is equally urgent goes to a worker together, and what says so
/// itself is not taken to be as urgent as what says nothing: `together` is decided by that.
pub(crate) fn row((width, height): (u32, u32), together: bool) -> Value {
    let steps = [
        ("resize@1", json!({"width": width, "height": height})),
        ("smoothing@1", json!({"kernel_size": 3})),
        ("rotate_flip@1", json!({"degrees": 90})),
        ("normalize@1", json!({"equalize": "stretch"})),
        ("crop@1", json!({"mode": "relative", "region": [0.1, 0.1, 0.9, 0.9]})),
    ];
    let (mut nodes, mut source) =
        (vec![json!({"id": "photo", "type": "image_input"})], "$inputs.photo".to_owned());
    for (number, (block, config)) in steps.into_iter().enumerate() {
        let id = format!("step{number}");
        let mut node =
            json!({"id": id, "type": block, "inputs": {"image": source}, "config": config, "cache": "off"});
        if !together && number % 2 == 1 {
            node["priority"] = json!("normal");
        }
        nodes.push(node);
        source = format!("$nodes.{id}.image");
    }
    nodes.push(json!({"id": "answer", "type": "json_output", "inputs": {"image": source}}));
    json!({"name": "bench-chain", "nodes": nodes})
}

/// A smaller picture, and what is seen on it.
pub(crate) fn thumbnails() -> Value {
    json!({"name": "bench-batch", "nodes": [
        {"id": "photo", "type": "image_input"},
        {"id": "small", "type": "resize@1", "inputs": {"image": "$inputs.photo"}, "config": {"width": 160}, "cache": "off"},
        {"id": "look", "type": "detection@1", "inputs": {"image": "$nodes.small.image"}, "config": {"model_id": "shapes-detector"}, "cache": "off"},
        {"id": "answer", "type": "json_output", "inputs": {"count": "$nodes.look.count"}},
    ]})
}

/// A loop over at most `items` pictures, side by side, with a step that takes a worker a while.
pub(crate) fn slow_loop(items: usize) -> Value {
    json!({"name": "bench-cancel", "nodes": [
        {"id": "photos", "type": "image_input", "config": {"list": true}},
        {"id": "each", "type": "for_each", "inputs": {"items": "$inputs.photos"}, "config": {"max_parallel": items}},
        {"id": "large", "type": "resize@1", "inputs": {"image": "$item"}, "config": {"width": 2400}, "cache": "off"},
        {"id": "all", "type": "collect", "inputs": {"item": "$nodes.large.image"}},
        {"id": "answer", "type": "json_output", "inputs": {"count": "$nodes.all.count"}},
    ]})
}

/// One model on one picture.
pub(crate) fn inference(block: &str, config: &Value) -> Value {
    json!({"name": "bench-inference", "nodes": [
        {"id": "photo", "type": "image_input"},
        {"id": "look", "type": block, "inputs": {"image": "$inputs.photo"}, "config": config, "cache": "off"},
        {"id": "answer", "type": "json_output", "inputs": {"class": "$nodes.look.top_class"}},
    ]})
}

/// One model on each of many pictures.
pub(crate) fn inference_of_each(block: &str, config: &Value) -> Value {
    json!({"name": "bench-inference-each", "nodes": [
        {"id": "photos", "type": "image_input", "config": {"list": true}},
        {"id": "each", "type": "for_each", "inputs": {"items": "$inputs.photos"}, "config": {"max_parallel": 64}},
        {"id": "look", "type": block, "inputs": {"image": "$item"}, "config": config, "cache": "off"},
        {"id": "all", "type": "collect", "inputs": {"item": "$nodes.look.top_class"}},
        {"id": "answer", "type": "json_output", "inputs": {"classes": "$nodes.all.items"}},
    ]})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_workflow_compiles() {
        let (block, config) = (crate::bench::inference::BLOCK, crate::bench::inference::config("some-model"));
        let (look, each) = (inference(block, &config), inference_of_each(block, &config));
        for definition in [dag(), nothing(), rest(), detect(), thumbnails(), slow_loop(1_000), look, each] {
            millrace_compiler::compile(&definition).expect("it compiles");
        }
        assert_eq!(dag()["nodes"].as_array().map(Vec::len), Some(1 + 1 + WIDTH + 1 + 1 + 1));
    }
}
