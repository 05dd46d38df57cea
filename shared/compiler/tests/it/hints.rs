//! What is said to do about a mistake, where the words depend on what is missing.

use millrace_compiler::compile;
use serde_json::{Value, json};

use crate::workflow;

/// The code and hint of each fault of a node beside a `photo`.
fn hints(node: Value) -> Vec<(String, String)> {
    let definition = workflow(&json!([{"id": "photo", "type": "image_input"}, node]));
    let faults = compile(&definition).err().unwrap_or_default().0.into_iter();
    faults.map(|fault| (fault.code, fault.hint.unwrap_or_default())).collect()
}

#[test]
fn what_is_to_be_wired_is_named_as_people_do() {
    for (block, words) in [
        ("resize", "Wire an image to it."),
        ("similarity_search", "Wire an embedding to it."),
        ("grid_builder", "Wire a list<image> to it."),
        ("filter", "Wire detections to it."),
        ("delay", "Wire a value to it."),
    ] {
        let found = hints(json!({"id": "x", "type": block, "inputs": {}}));
        assert!(found.iter().any(|(_, hint)| hint.ends_with(words)), "{block}: {found:?}");
    }
}

#[test]
fn a_setting_of_a_block_without_settings_is_unknown() {
    let answer = json!({"id": "x", "type": "json_output", "inputs": {"a": "$inputs.photo"}, "config": {"images": "base64"}});
    let expected = ("UNKNOWN_FIELD".to_owned(), "json_output has no settings here".to_owned());
    assert_eq!(hints(answer), [expected]);
}

#[test]
fn columns_of_a_grid_may_be_left_to_it() {
    let grid = |columns: Value| {
        let inputs = json!({"images": ["$inputs.photo"]});
        json!({"id": "x", "type": "grid_builder", "inputs": inputs, "config": {"columns": columns}})
    };
    assert_eq!(hints(grid(json!("auto"))), []);
    assert_eq!(hints(grid(json!("many")))[0].0, "INVALID_CONFIG");
}
