//! Answers as commands show them.

use serde_json::{Value, json};

use crate::support::{Api, GOOD, millrace};

#[test]
fn an_execution_is_shown_with_the_nodes_of_all_pages() {
    let api = Api::start();
    let show = |more: &[&str]| {
        let mut command = millrace(&["executions", "show", GOOD, "--url", &api.url]);
        let output = command.args(more).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let text = show(&[]);
    assert!(text.contains("first@1") && text.contains("second@1"), "{text}");
    let page: Value = serde_json::from_str(&show(&["--json"])).unwrap();
    let nodes = page["nodes"]["nodes"].as_array().unwrap();
    let names: Vec<_> = nodes.iter().map(|node| node["node_id"].as_str().unwrap()).collect();
    assert_eq!(names, ["first", "second"]);
}

#[test]
fn a_program_is_told_of_a_deleted_model_in_json() {
    let api = Api::start();
    let delete = |more: &[&str]| {
        let output = millrace(&["models", "delete", "parts", "--url", &api.url]).args(more).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    assert_eq!(delete(&[]), "parts is no longer registered\n");
    assert_eq!(serde_json::from_str::<Value>(&delete(&["--json"])).unwrap(), json!({"deleted": "parts"}));
}
