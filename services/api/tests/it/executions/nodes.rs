//! `GET /executions/{id}/nodes[/{node}]`.

use millrace_bus::Commit;
use serde_json::json;

use crate::support::World;

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
