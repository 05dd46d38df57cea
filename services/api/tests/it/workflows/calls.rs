//! Workflows that call others: what is saved is complete in itself, and stays what it was.

use anyhow::Context;
use millrace_contracts::ExecutionId;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Reply, World, constant, show};

fn parent(config: &Value) -> Value {
    json!({"name": "parent", "nodes": [
        {"id": "c", "type": "sub_workflow", "config": config},
        {"id": "answer", "type": "json_output", "inputs": {"min": "$nodes.c.min"}}
    ]})
}

async fn put(world: &World, id: &str, definition: &Value) -> anyhow::Result<Reply> {
    Reply::of(world.request(Method::PUT, &format!("/api/v1/workflows/{id}")).json(definition)).await
}

/// The definition that a run walks.
async fn walked(world: &World, run: &Reply) -> anyhow::Result<Value> {
    let id: ExecutionId = run.body["execution_id"].as_str().context("an id")?.parse()?;
    let record = world.store.executions().get(id).await?;
    Ok(serde_json::from_slice(&world.blobs.get(record.definition).await?)?)
}

#[tokio::test]
async fn a_saved_workflow_keeps_the_versions_that_it_calls() -> anyhow::Result<()> {
    let world = World::start().await?;
    let child = world.save(&constant()).await?;
    let id = world.save(&parent(&json!({"workflow": child}))).await?;
    let key = format!("{child}@1");
    let saved = world.get(&format!("/api/v1/workflows/{id}")).await?;
    assert_eq!(saved.body["definition"]["nodes"][0]["config"], json!({"workflow": child, "version": 1}));
    assert_eq!(saved.body["definition"]["workflows"][&key]["name"], "constant");

    let mut changed = constant();
    changed["nodes"][0]["config"]["default"] = json!(0.9);
    assert_eq!(put(&world, &child, &changed).await?.status, 200);
    let run = world.post(&format!("/api/v1/workflows/{id}/run"), &json!({})).await?;
    assert_eq!(run.status, 202, "{run:?}");
    let walked_by_saved = walked(&world, &run).await?;
    assert_eq!(walked_by_saved["workflows"][&key]["nodes"][0]["config"]["default"], 0.4);
    // Unsaved, it takes the newest; and with a version that one.
    for (config, key) in [
        (json!({"workflow": child}), format!("{child}@2")),
        (json!({"workflow": child, "version": 1}), key.clone()),
    ] {
        let run = world.post("/api/v1/executions", &json!({"workflow": parent(&config)})).await?;
        assert_eq!(run.status, 202, "{run:?}");
        let definition = walked(&world, &run).await?;
        assert_eq!(definition["workflows"].as_object().unwrap().keys().collect::<Vec<_>>(), [&key]);
    }
    // Saved again as it was written, it takes the newest; as it was pinned, it does not.
    assert_eq!(
        put(&world, &id, &saved.body["definition"]).await?.body["definition"]["nodes"][0]["config"]["version"],
        1
    );
    let again = put(&world, &id, &parent(&json!({"workflow": child}))).await?;
    assert_eq!(again.body["definition"]["nodes"][0]["config"]["version"], 2);

    // Deleted, it lives on in what embeds it.
    let path = format!("/api/v1/workflows/{child}");
    assert_eq!(Reply::of(world.request(Method::DELETE, &path)).await?.status, 204);
    assert_eq!(put(&world, &id, &again.body["definition"]).await?.status, 200);
    let gone = world.post("/api/v1/workflows", &parent(&json!({"workflow": child}))).await?;
    gone.problem(422, "INVALID_WORKFLOW").fault("WORKFLOW_DELETED", Some("c"), "/nodes/0/config/workflow");
    world.stop().await
}

#[tokio::test]
async fn calls_nest_and_each_workflow_is_embedded_once() -> anyhow::Result<()> {
    let world = World::start().await?;
    let child = world.save(&constant()).await?;
    let middle = world.save(&parent(&json!({"workflow": child}))).await?;
    let top = json!({"name": "top", "nodes": [
        {"id": "a", "type": "sub_workflow", "config": {"workflow": middle}},
        {"id": "b", "type": "sub_workflow", "config": {"workflow": child}},
        {"id": "c", "type": "sub_workflow", "config": {"workflow": middle, "version": 1}},
        {"id": "answer", "type": "json_output", "inputs": {"min": "$nodes.a.min", "own": "$nodes.b.min"}}
    ]});
    let valid = world.post("/api/v1/workflows/validate", &top).await?;
    assert_eq!(valid.status, 200, "{valid:?}");
    assert_eq!(valid.body["plan"]["nodes"], 11, "{:?}", valid.body);
    let id = world.save(&top).await?;
    let saved = world.get(&format!("/api/v1/workflows/{id}")).await?;
    let library = saved.body["definition"]["workflows"].as_object().unwrap();
    assert_eq!(library.len(), 2, "{library:?}");
    world.stop().await
}

#[tokio::test]
async fn saved_workflows_nest_eight_deep_and_no_deeper() -> anyhow::Result<()> {
    let world = World::start().await?;
    let mut inner = world.save(&constant()).await?;
    for _ in 0..8 {
        let next = parent(&json!({"workflow": inner}));
        let run = world.post("/api/v1/executions", &json!({"workflow": next})).await?;
        assert_eq!(run.status, 202, "{run:?}");
        inner = world.save(&next).await?;
    }
    let saved = world.get(&format!("/api/v1/workflows/{inner}")).await?;
    assert_eq!(saved.body["definition"]["workflows"].as_object().map(serde_json::Map::len), Some(8));
    let too_deep = parent(&json!({"workflow": inner}));
    for (path, body) in
        [("/api/v1/workflows", too_deep.clone()), ("/api/v1/executions", json!({"workflow": too_deep}))]
    {
        let refused = world.post(path, &body).await?;
        let codes: Vec<_> =
            refused.body["errors"].as_array().unwrap().iter().map(|one| &one["code"]).collect();
        assert_eq!((refused.status, codes), (422, vec![&json!("CALLS_TOO_DEEP")]), "{:?}", refused.body);
    }
    world.stop().await
}

#[tokio::test]
async fn what_cannot_be_called_is_told_with_everything_else() -> anyhow::Result<()> {
    let world = World::start().await?;
    let child = world.save(&show()).await?;
    let unknown = "0192f0c1-2345-7abc-8def-0123456789ab";
    let definition = json!({"name": "wrong", "nodes": [
        {"id": "a", "type": "sub_workflow", "config": {"workflow": unknown}},
        {"id": "b", "type": "sub_workflow", "config": {"workflow": child, "version": 9}},
        {"id": "c", "type": "sub_workflow", "inputs": {"min": 7}, "config": {"workflow": child}},
        {"id": "d", "type": "sub_workflow", "config": {"workflow": "by-name"}},
        {"id": "e", "type": "nonsense"}
    ]});
    let refused = world.post("/api/v1/workflows/validate", &definition).await?;
    refused.problem(422, "INVALID_WORKFLOW");
    refused.fault("UNKNOWN_WORKFLOW", Some("a"), "/nodes/0/config/workflow");
    refused.fault("UNKNOWN_WORKFLOW", Some("b"), "/nodes/1/config/version");
    refused.fault("MISSING_INPUT", Some("c"), "/nodes/2/inputs/photo");
    refused.fault("INVALID_INPUT", Some("c"), "/nodes/2/inputs/min");
    refused.fault("UNKNOWN_WORKFLOW", Some("d"), "/nodes/3/config/workflow");
    refused.fault("UNKNOWN_BLOCK", Some("e"), "/nodes/4/type");
    assert_eq!(refused.body["errors"].as_array().unwrap().len(), 6, "{:?}", refused.body["errors"]);
    // A workflow cannot be made to call itself, nor through another.
    let own = world.save(&constant()).await?;
    let direct = put(&world, &own, &parent(&json!({"workflow": own}))).await?;
    direct.problem(422, "INVALID_WORKFLOW").fault(
        "WORKFLOW_RECURSION",
        Some("c"),
        "/nodes/0/config/workflow",
    );
    let other = world.save(&parent(&json!({"workflow": own}))).await?;
    let mutual = put(&world, &own, &parent(&json!({"workflow": other}))).await?;
    let place = format!("/workflows/{other}@1/nodes/0/config/workflow");
    mutual.problem(422, "INVALID_WORKFLOW").fault("WORKFLOW_RECURSION", Some("c"), &place);
    world.stop().await
}
