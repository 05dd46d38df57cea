//! The pictures and the workflow of the demo, and what the reference says about them.

use anyhow::Context;
use base64::Engine;
use serde_json::Value;

use super::stack::root;

/// The demo's workflow as it is shipped.
pub(crate) fn demo_workflow() -> anyhow::Result<Value> {
    let path = root().join("examples/detect-shapes.json");
    let text = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    Ok(serde_json::from_str(&text)?)
}

/// The name of the demo workflow's image input.
pub(crate) fn image_input(workflow: &Value) -> anyhow::Result<&str> {
    let nodes = workflow["nodes"].as_array().context("a workflow has nodes")?;
    let input =
        nodes.iter().find(|node| node["type"].as_str().is_some_and(|kind| kind.starts_with("image_input")));
    input.and_then(|node| node["id"].as_str()).context("the demo workflow has an image input")
}

/// The bytes of scene `number`, 0 to 9.
pub(crate) fn scene(number: usize) -> anyhow::Result<Vec<u8>> {
    let path = root().join(format!("tests/goldens/shapes-detector/scenes/scene_{number:02}.jpg"));
    std::fs::read(&path).with_context(|| path.display().to_string())
}

pub(crate) fn base64(bytes: &[u8]) -> String {
    base64::engine::general_purpose::STANDARD.encode(bytes)
}
