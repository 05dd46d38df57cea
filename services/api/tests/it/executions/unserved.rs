//! What a run's page says of jobs that nobody takes up.

use std::time::Duration;

use anyhow::Context;
use millrace_bus::Commit;
use serde_json::{Value, json};

use crate::support::{Player, World};

/// Two transforms, one of which names a pool.
fn workflow() -> Value {
    let resize = |id: &str| json!({"id": id, "type": "resize", "inputs": {"image": "$inputs.photo"}, "config": {"width": 8}});
    let mut odd = resize("odd");
    odd["pool"] = json!("cup");
    json!({"name": "resizes", "nodes": [
        {"id": "photo", "type": "image_input"}, resize("usual"), odd,
        {"id": "answer", "type": "json_output", "inputs": {"a": "$nodes.usual.image", "b": "$nodes.odd.image"}},
    ]})
}

/// A run of it, under way, whose transforms are queued; its page's path.
async fn queued(world: &World, more: Value) -> anyhow::Result<String> {
    let mut body = json!({"workflow": workflow(), "input": {"photo": "https://example.com/a.jpg"}});
    body.as_object_mut().context("an object")?.extend(more.as_object().cloned().unwrap_or_default());
    let accepted = world.post("/api/v1/executions", &body).await?;
    let run = accepted.body["execution_id"].as_str().with_context(|| format!("{accepted:?}"))?.parse()?;
    Player::new(world.bus.clone(), run).start().await?;
    let mut commit = Commit::new(run, world.bus.partition_of(run), 1);
    for (node, status) in [("photo", "completed"), ("usual", "queued"), ("odd", "queued")] {
        let record = json!({"node_id": node, "path": "", "block": "x@1", "status": status, "attempt": 1});
        commit.set.push((format!("n:{node}"), serde_json::to_vec(&record)?));
    }
    world.bus.commit(&[commit]).await?;
    Ok(format!("/api/v1/executions/{run}"))
}

async fn work(world: &World, worker: &str, state: &str, pools: &[&str]) -> anyhow::Result<()> {
    let info = json!({"worker_id": worker, "state": state, "pools": pools});
    world.bus.register_worker(&worker.into(), &info.to_string(), Duration::from_secs(600)).await?;
    Ok(())
}

#[tokio::test]
async fn a_run_says_which_pools_of_its_jobs_nobody_serves() -> anyhow::Result<()> {
    let world = World::start().await?;
    let path = queued(&world, json!({})).await?;
    let unserved = async |path: &str| Ok::<_, anyhow::Error>(world.get(path).await?.body["unserved"].clone());
    assert_eq!(
        unserved(&path).await?,
        json!({"pools": ["cpu", "cup"], "served": []}),
        "workers may yet come"
    );

    work(&world, "w1", "active", &["cpu", "fast"]).await?;
    assert_eq!(unserved(&path).await?, json!({"pools": ["cup"], "served": ["cpu", "fast"]}));
    work(&world, "w2", "starting", &["cup"]).await?;
    assert_eq!(unserved(&path).await?, Value::Null, "it is about to be taken up");
    work(&world, "w1", "draining", &["cpu", "fast"]).await?;
    assert_eq!(unserved(&path).await?, json!({"pools": ["cpu"], "served": ["cup"]}));

    // One that names a pool for all its jobs.
    let path = queued(&world, json!({"pool": "nope"})).await?;
    assert_eq!(unserved(&path).await?, json!({"pools": ["nope"], "served": ["cup"]}));
    world.stop().await
}
