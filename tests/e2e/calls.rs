//! Workflows that call saved ones, through real services: what runs is what was saved, inner nodes are seen like all others,
//! and a run can be repeated from any of them the moment its end was told.

use std::process::{Command, Output};

use anyhow::Context;
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::client::expect;
use crate::support::events::{check_gapless, durable};
use crate::support::scenes::{base64, scene};
use crate::support::{Client, Stack};

/// Finds shapes; `mark` says which version of it was at work. What is done again is really done: nothing comes from the cache.
fn child(mark: u32) -> Value {
    json!({"name": "count", "nodes": [
        {"id": "photo", "type": "image_input"},
        {"id": "detect", "type": "detection", "inputs": {"image": "$inputs.photo"},
         "config": {"model_id": "shapes-detector", "confidence": 0.4}, "cache": "off"},
        {"id": "out", "type": "json_output",
         "inputs": {"count": "$nodes.detect.count", "found": "$nodes.detect.detections", "mark": mark}},
    ]})
}

/// Calls it with the whole picture, then with every shape that was found.
fn parent(child: &str) -> Value {
    json!({"name": "parent", "nodes": [
        {"id": "photo", "type": "image_input"},
        {"id": "whole", "type": "sub_workflow", "inputs": {"photo": "$inputs.photo"}, "config": {"workflow": child}},
        {"id": "crop", "type": "crop", "inputs": {"image": "$inputs.photo", "detections": "$nodes.whole.found"},
         "config": {"mode": "detections"}},
        {"id": "each", "type": "for_each", "inputs": {"items": "$nodes.crop.crops"}},
        {"id": "inner", "type": "sub_workflow", "inputs": {"photo": "$item"}, "config": {"workflow": child}},
        {"id": "counts", "type": "collect", "inputs": {"item": "$nodes.inner.count"}},
        {"id": "answer", "type": "json_output", "inputs":
            {"count": "$nodes.whole.count", "mark": "$nodes.whole.mark", "counts": "$nodes.counts.items"}},
    ]})
}

/// Fails inside a call, after a detection.
fn failing() -> Value {
    let mut child = child(1);
    let bad = json!({"id": "bad", "type": "map", "inputs": {"items": [0], "n": "$nodes.detect.count"},
        "config": {"expr": "n / item"}});
    child["nodes"].as_array_mut().expect("a workflow has nodes").push(bad);
    child["nodes"][2]["inputs"]["bad"] = json!("$nodes.bad.items");
    json!({"name": "failing", "workflows": {"child": child}, "nodes": [
        {"id": "photo", "type": "image_input"},
        {"id": "c", "type": "sub_workflow", "inputs": {"photo": "$inputs.photo"}, "config": {"workflow": "child"}},
        {"id": "answer", "type": "json_output", "inputs": {"all": "$nodes.c.*"}},
    ]})
}

async fn node_runs(client: &Client, run: &str, node: &str) -> anyhow::Result<Vec<Value>> {
    let page = client.get_json(&format!("/executions/{run}/nodes/{}", node.replace('/', "%2F"))).await?;
    Ok(page["nodes"].as_array().context("a page of node runs")?.clone())
}

/// The run whose work the results of `node` are; null for those of this run itself.
async fn origin(client: &Client, run: &str, node: &str) -> anyhow::Result<Value> {
    Ok(node_runs(client, run, node).await?[0]["origin"].clone())
}

/// `millrace executions rerun`, as a person types it.
fn rerun(stack: &Stack, run: &str, more: &[&str]) -> anyhow::Result<Output> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_millrace"));
    command.args(["executions", "rerun", run, "--json", "--url", &stack.api]).args(more);
    command.output().context("millrace executions rerun")
}

fn new_id(answer: &Output) -> anyhow::Result<String> {
    anyhow::ensure!(answer.status.success(), "{}", String::from_utf8_lossy(&answer.stderr));
    let answer: Value = serde_json::from_slice(&answer.stdout)?;
    Ok(answer["execution_id"].as_str().context("a rerun has an id")?.to_owned())
}

#[tokio::test]
async fn a_saved_parent_runs_what_it_was_saved_with() -> anyhow::Result<()> {
    let stack = Stack::start().await?;
    let client = stack.client();
    let input = json!({"photo": base64(&scene(0)?)});
    let called = client.save(&child(1)).await?;
    let calling = client.save(&parent(&called)).await?;
    let run = client.run(&calling, input.clone()).await?;
    let events = client.follow(&run, "?from=0").await?;
    check_gapless(&events, 1)?;
    let first = client.ended(&run).await?;
    assert_eq!(
        (&first["status"], &first["outputs"]["answer"]["mark"]),
        (&json!("completed"), &json!(1)),
        "{first}"
    );
    let count = first["outputs"]["answer"]["count"].as_u64().context("a count")?;
    assert!(count > 1, "scene 0 shows several shapes: {first}");
    assert_eq!(first["outputs"]["answer"]["counts"].as_array().map(Vec::len), usize::try_from(count).ok());

    let completed = |node: &str| {
        durable(&events)
            .iter()
            .filter(|event| event.name == "node.completed" && event.data["nodeid"] == node)
            .count()
    };
    assert_eq!((completed("whole/@in"), completed("whole/detect"), completed("whole")), (1, 1, 1));
    assert_eq!(completed("inner/detect") as u64, count);
    let whole = node_runs(&client, &run, "whole/detect").await?;
    assert_eq!((whole.len(), &whole[0]["outputs"]["count"]), (1, &json!(count)));
    let inner = node_runs(&client, &run, "inner/detect").await?;
    assert_eq!(inner.len() as u64, count);
    assert!(inner.iter().all(|node| node["status"] == "completed" && node["node_id"] == "inner/detect"));

    let changed =
        expect(client.put(&format!("/workflows/{called}"), &child(2)).await?, StatusCode::OK).await?;
    assert_eq!(changed["version"], 2, "{changed}");
    let again = client.run(&calling, input.clone()).await?;
    assert_eq!(client.ended(&again).await?["outputs"], first["outputs"], "what was saved stays what it was");
    expect(client.put(&format!("/workflows/{calling}"), &parent(&called)).await?, StatusCode::OK).await?;
    let renewed = client.run(&calling, input).await?;
    let renewed = client.ended(&renewed).await?;
    assert_eq!(renewed["outputs"]["answer"]["mark"], 2, "saved again, it calls the newest");
    assert_eq!(renewed["outputs"]["answer"]["counts"], first["outputs"]["answer"]["counts"]);
    Ok(())
}

#[tokio::test]
async fn a_failed_run_is_repeated_from_what_failed() -> anyhow::Result<()> {
    let stack = Stack::start().await?;
    let client = stack.client();
    let run = client.run_unsaved(&failing(), json!({"photo": base64(&scene(0)?)})).await?;
    client.follow(&run, "").await?;
    let answer = rerun(&stack, &run, &["--from", "c/bad", "--follow"])?;
    assert_eq!(answer.status.code(), Some(1), "{}", String::from_utf8_lossy(&answer.stderr));
    let failed = client.ended(&run).await?;
    assert_eq!(
        (&failed["status"], &failed["error"]["node"]),
        (&json!("failed"), &json!("c/bad")),
        "{failed}"
    );
    let listed = client.get_json(&format!("/executions?rerun_of={run}")).await?;
    let repeated =
        listed["executions"][0]["execution_id"].as_str().context("the rerun is listed")?.to_owned();
    let ended = client.ended(&repeated).await?;
    assert_eq!((&ended["status"], &ended["error"]["node"]), (&json!("failed"), &json!("c/bad")), "{ended}");
    assert_eq!(origin(&client, &repeated, "c/detect").await?, json!(run));
    assert_eq!(origin(&client, &repeated, "c/bad").await?, Value::Null);
    let whole = new_id(&rerun(&stack, &run, &[])?)?;
    assert_eq!(client.ended(&whole).await?["status"], "failed");
    assert_eq!(
        origin(&client, &whole, "c/detect").await?,
        Value::Null,
        "as a whole, everything is done again"
    );
    Ok(())
}

/// Calls nested `depth` deep.
fn nested(depth: usize) -> Value {
    let call = |place: usize| json!({"id": "c", "type": "sub_workflow", "config": {"workflow": format!("w{place}")}});
    let inside = |place: usize| {
        let mut nodes = vec![json!({"id": "out", "type": "json_output", "inputs": {"n": 1}})];
        nodes.extend((place < depth).then(|| call(place + 1)));
        (format!("w{place}"), json!({"nodes": nodes}))
    };
    let workflows: serde_json::Map<_, _> = (1..=depth).map(inside).collect();
    json!({"name": "nested", "nodes": [call(1)], "workflows": workflows})
}

#[tokio::test]
async fn wrong_calls_are_told_with_node_and_pointer() -> anyhow::Result<()> {
    let stack = Stack::start().await?;
    let client = stack.client();
    let call = |id: &str, name: &str| json!({"id": id, "type": "sub_workflow", "config": {"workflow": name}});
    let recursion = json!({"name": "r", "nodes": [call("c", "a")], "workflows":
        {"a": {"nodes": [call("x", "b")]}, "b": {"nodes": [call("y", "a")]}}});
    let unknown = json!({"name": "u", "nodes": [call("c", "a"), call("d", "nowhere")], "workflows":
        {"a": {"nodes": [call("x", "nobody")]}}});
    for (definition, expected) in [
        (&recursion, vec![("WORKFLOW_RECURSION", "c/x/y", "/workflows/b/nodes/0/config/workflow")]),
        (
            &unknown,
            vec![
                ("UNKNOWN_WORKFLOW", "c/x", "/workflows/a/nodes/0/config/workflow"),
                ("UNKNOWN_WORKFLOW", "d", "/nodes/1/config/workflow"),
            ],
        ),
        (&nested(9), vec![("CALLS_TOO_DEEP", "c/c/c/c/c/c/c/c/c", "/workflows/w8/nodes/1/config/workflow")]),
    ] {
        let refused = client.post("/workflows/validate", definition).await?;
        let problem = expect(refused, StatusCode::UNPROCESSABLE_ENTITY).await?;
        let mut found = problem["errors"]
            .as_array()
            .context("faults")?
            .iter()
            .map(|fault| {
                let text = |name: &str| fault[name].as_str().unwrap_or_default();
                (text("code"), text("node"), text("pointer"))
            })
            .collect::<Vec<_>>();
        found.sort_by_key(|fault| fault.1);
        assert_eq!(found, expected, "{problem}");
    }
    let deep = expect(client.post("/workflows/validate", &nested(8)).await?, StatusCode::OK).await?;
    assert_eq!(deep["valid"], true);
    Ok(())
}
