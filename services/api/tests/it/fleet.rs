//! `/workers`, `/queues`, `/models`.

use std::time::Duration;

use serde_json::json;

use crate::support::World;

#[tokio::test]
async fn the_fleet_is_shown_as_it_says_of_itself() -> anyhow::Result<()> {
    let world = World::start().await?;
    let info = json!({"worker_id": "w1", "pools": ["fast"], "models": ["shapes-detector"], "capacity": 4});
    world.bus.register_worker(&"w1".into(), &info.to_string(), Duration::from_secs(60)).await?;
    let workers = world.get("/api/v1/workers").await?.body;
    assert_eq!(workers["workers"][0]["worker_id"], "w1");
    assert_eq!(workers["workers"][0]["alive"], true);
    assert_eq!(workers["workers"][0]["capacity"], 4);
    let models = world.get("/api/v1/models").await?.body;
    assert_eq!(models["models"][0]["model_id"], "shapes-detector");
    assert_eq!(models["models"][0]["workers"], json!(["w1"]));
    assert_eq!(world.get("/api/v1/queues").await?.body["queues"], json!([]));
    world.stop().await
}

#[tokio::test]
async fn a_worker_is_told_to_drain() -> anyhow::Result<()> {
    let world = World::start().await?;
    let (id, drain) = ("w1".into(), json!({}));
    world.post("/api/v1/workers/w1/drain", &drain).await?.problem(404, "NOT_FOUND");
    let info = json!({"worker_id": "w1", "state": "active", "running": 2});
    world.bus.register_worker(&id, &info.to_string(), Duration::from_secs(60)).await?;
    let told = world.post("/api/v1/workers/w1/drain", &drain).await?;
    assert_eq!((told.status, &told.body["state"]), (202, &json!("draining")));
    assert!(world.bus.is_to_drain(&id).await?);
    world.stop().await
}
