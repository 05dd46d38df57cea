//! `GET /executions/{id}/nodes[/{node}]`.

use anyhow::Context;
use millrace_bus::Commit;
use millrace_contracts::EventType;
use millrace_store::RecordBatch;
use serde_json::{Value, json};

use crate::support::{Player, World, png, show};

#[tokio::test]
async fn node_runs_are_shown_by_node_and_item() -> anyhow::Result<()> {
    let world = World::start().await?;
    let mut player = world.play().await?;
    player.start().await?;
    let mut commit = Commit::new(player.run, world.bus.partition_of(player.run), 1);
    for (node, path) in [("crop", "[10]"), ("crop", "[2]"), ("answer", ""), ("crop", "[0]")] {
        let record =
            json!({"node_id": node, "path": path, "block": "crop@1", "status": "completed", "attempt": 1});
        commit.set.push((format!("n:{node}{path}"), serde_json::to_vec(&record)?));
    }
    world.bus.commit(&[commit]).await?;
    let path = format!("/api/v1/executions/{}/nodes", player.run);
    let places = |body: &serde_json::Value| {
        let nodes = body["nodes"].as_array().unwrap();
        nodes
            .iter()
            .map(|node| {
                format!("{}{}", node["node_id"].as_str().unwrap(), node["path"].as_str().unwrap_or_default())
            })
            .collect::<Vec<_>>()
    };
    let all = world.get(&path).await?;
    assert_eq!(places(&all.body), ["answer", "crop[0]", "crop[2]", "crop[10]"]);
    let first = world.get(&format!("{path}/crop?limit=2")).await?.body;
    assert_eq!(
        (places(&first), &first["next_after"]),
        (vec!["crop[0]".into(), "crop[2]".into()], &json!("crop[2]"))
    );
    let second = world.get(&format!("{path}/crop?limit=2&after=crop%5B2%5D")).await?.body;
    assert_eq!(places(&second), ["crop[10]"]);
    world.get(&format!("{path}/nobody")).await?.problem(404, "NOT_FOUND");
    world.get(&format!("{path}?after=crop%5Bx%5D")).await?.problem(400, "INVALID_QUERY");
    world.stop().await
}

/// What the nodes of `show()` have said, as it is stored.
fn told(image: &Value) -> [Value; 3] {
    let view = |node: &str, block: &str, status: &str, outputs: &Value| json!({"node_id": node, "block": block, "status": status, "attempt": 1, "outputs": outputs, "completed_at": 5});
    [
        view("photo", "image_input@1", "completed", &json!({"image": image})),
        view("min", "parameter_input@1", "completed", &json!({"value": 0.7})),
        view("answer", "json_output@1", "completed", &json!({"picture": image, "min": 0.7})),
    ]
}

#[tokio::test]
async fn node_runs_are_shown_with_what_they_were_given() -> anyhow::Result<()> {
    let world = World::start().await?;
    let blob = world.blobs.put(png(8, 8).into()).await?;
    let body = json!({"workflow": show(), "input": {"photo": format!("blob:{blob}"), "min": 0.7}});
    let accepted = world.post("/api/v1/executions", &body).await?;
    let run = accepted.body["execution_id"].as_str().unwrap_or_default().parse()?;
    let image = world.get(&format!("/api/v1/executions/{run}")).await?.body["input"]["photo"].clone();
    let mut player = Player::new(world.bus.clone(), run);
    player.start().await?;
    let mut commit = Commit::new(run, world.bus.partition_of(run), 1);
    for view in told(&image) {
        let field = format!("n:{}", view["node_id"].as_str().unwrap_or_default());
        commit.set.push((field, serde_json::to_vec(&view)?));
    }
    let waiting =
        json!({"node_id": "answer", "path": "", "block": "json_output@1", "status": "pending", "attempt": 0});
    commit.set.push(("n:answer".to_owned(), serde_json::to_vec(&waiting)?));
    world.bus.commit(&[commit]).await?;

    let path = format!("/api/v1/executions/{run}/nodes");
    let nodes = world.get(&path).await?.body["nodes"].clone();
    assert_eq!((&nodes[0]["node_id"], nodes[0].get("inputs")), (&json!("answer"), None), "it has not begun");
    assert_eq!(nodes[1]["inputs"], json!({"value": 0.7}));
    assert_eq!(nodes[2]["inputs"]["image"]["url"], format!("/api/v1/blobs/{blob}"));

    // The same from the record, which is asked for what a page does not hold.
    let events = told(&image).map(|view| {
        let mut event = player.event(EventType::NodeCompleted, view.clone());
        event.node_id = view["node_id"].as_str().map(Into::into);
        event
    });
    world.store.record(&RecordBatch { events: events.to_vec() }).await?;
    world.redis.flush().await?;
    let nodes = world.get(&format!("{path}/answer")).await?.body["nodes"].clone();
    assert_eq!(nodes.as_array().map(Vec::len), Some(1), "{nodes}");
    assert_eq!(nodes[0]["inputs"]["min"], 0.7);
    assert_eq!(nodes[0]["inputs"]["picture"]["url"], format!("/api/v1/blobs/{blob}"));
    world.stop().await
}

#[tokio::test]
async fn large_items_are_told_as_far_as_an_answer_goes() -> anyhow::Result<()> {
    let world = World::start().await?;
    let readers = ["c1", "c2", "c3", "c4"];
    let mut nodes = vec![
        json!({"id": "list", "type": "parameter_input", "config": {"kind": "list<string>", "default": ["a"]}}),
        json!({"id": "each", "type": "for_each", "inputs": {"items": "$inputs.list"}}),
        json!({"id": "all", "type": "collect", "inputs": {"item": "$nodes.c4.value"}}),
        json!({"id": "answer", "type": "json_output", "inputs": {"all": "$nodes.all.items"}}),
    ];
    let reader = |id| json!({"id": id, "type": "first_of", "inputs": {"a": "$nodes.each.item"}});
    nodes.extend(readers.map(reader));
    let body = json!({"workflow": {"name": "large", "nodes": nodes}});
    let accepted = world.post("/api/v1/executions", &body).await?;
    let run = accepted.body["execution_id"].as_str().with_context(|| format!("{accepted:?}"))?.parse()?;
    let mut player = Player::new(world.bus.clone(), run);
    player.start().await?;
    let items = world.blobs.put_value(&json!(["x".repeat(7 << 20)])).await?.to_value();
    let done = |node: &str, path: &str, outputs: Value| json!({"node_id": node, "path": path, "block": "x@1", "status": "completed", "attempt": 1, "outputs": outputs});
    let mut commit = Commit::new(run, world.bus.partition_of(run), 1);
    let each = done("each", "", json!({"items": items, "count": 1}));
    commit.set.push(("n:each".to_owned(), serde_json::to_vec(&each)?));
    for node in readers {
        let view = done(node, "[0]", json!({"value": "small"}));
        commit.set.push((format!("n:{node}[0]"), serde_json::to_vec(&view)?));
    }
    world.bus.commit(&[commit]).await?;
    let shown = world.get(&format!("/api/v1/executions/{run}/nodes")).await?;
    let told = |node: &str| {
        let nodes = shown.body["nodes"].as_array().into_iter().flatten();
        nodes.filter(|one| one["node_id"] == node && one["inputs"]["a"].is_string()).count()
    };
    assert_eq!(readers.map(told), [1, 1, 0, 0]);
    assert!(shown.bytes.len() < 17 << 20);
    world.stop().await
}
