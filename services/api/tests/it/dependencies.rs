//! Invariant 8: the control plane touches no pixels. A fact of the manifests, checked as one.

use std::collections::{HashMap, HashSet};
use std::process::Command;

use serde_json::Value;

#[test]
fn invariant_8_the_api_links_no_onnx_and_decodes_no_image() {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--offline", "--locked"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let nodes = metadata["resolve"]["nodes"].as_array().unwrap();
    let by_id: HashMap<&str, &Value> =
        nodes.iter().map(|node| (node["id"].as_str().unwrap(), node)).collect();
    let names: HashMap<&str, &str> = metadata["packages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|package| (package["id"].as_str().unwrap(), package["name"].as_str().unwrap()))
        .collect();
    let root = names.iter().find(|(_, name)| **name == "millrace-api").map(|(id, _)| *id).unwrap();
    let (mut reached, mut open) = (HashSet::new(), vec![root]);
    while let Some(id) = open.pop() {
        if !reached.insert(names[id]) {
            continue;
        }
        for dependency in by_id[id]["deps"].as_array().unwrap() {
            let kinds = dependency["dep_kinds"].as_array().unwrap();
            if kinds.iter().any(|kind| kind["kind"].is_null()) {
                open.push(dependency["pkg"].as_str().unwrap());
            }
        }
    }
    assert!(reached.contains("axum"));
    for forbidden in
        ["ort", "ort-sys", "image", "zune-jpeg", "fast_image_resize", "millrace-vision", "millrace-inference"]
    {
        assert!(!reached.contains(forbidden), "the api depends on {forbidden}");
    }
}
