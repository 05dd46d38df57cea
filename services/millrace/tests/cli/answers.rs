//! Answers as commands show them.

use serde_json::{Value, json};

use crate::support::{Api, GOOD, WAITING, millrace};

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
fn who_looks_at_a_run_that_stands_still_is_told_that_nobody_serves_its_pool() {
    let api = Api::start();
    let dir = tempfile::tempdir().unwrap();
    let flow = dir.path().join("flow.json");
    std::fs::write(&flow, r#"{"name":"waits","nodes":[]}"#).unwrap();
    let text = |arguments: &[&str]| {
        let output = millrace(arguments).args(["--url", &api.url]).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let reason = "no worker serves fsat (served are cpu, fast)";
    let run = text(&["run", flow.to_str().unwrap()]);
    assert_eq!(run.matches(reason).count(), 1, "{run}");
    let shown = text(&["executions", "show", WAITING]);
    assert!(shown.contains(reason), "{shown}");
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
