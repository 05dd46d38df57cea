//! `GET /stats`.

use std::time::Duration;

use millrace_store::RecordBatch;
use serde_json::{Value, json};

use crate::support::World;

async fn played(world: &World) -> anyhow::Result<()> {
    let mut player = world.play().await?;
    player.start().await?;
    player.complete(json!({"answer": {}})).await?;
    world.store.record(&RecordBatch { events: player.committed.clone() }).await?;
    Ok(())
}

#[tokio::test]
async fn figures_are_shaped_for_a_dashboard() -> anyhow::Result<()> {
    let world = World::start().await?;
    let info = json!({"worker_id": "w1", "pools": ["fast"], "running": 3, "capacity": 4});
    world.bus.register_worker(&"w1".into(), &info.to_string(), Duration::from_secs(60)).await?;
    played(&world).await?;
    let stats = world.get("/api/v1/stats?window=15m").await?;
    assert_eq!(stats.status, 200, "{stats:?}");
    let body = &stats.body;
    assert_eq!((&body["totals"]["runs"], &body["totals"]["completed"]), (&json!(1), &json!(1)));
    assert_eq!(body["totals"]["success_rate"], 1.0);
    assert_eq!(
        (&body["bucket_ms"], body["to"].as_i64().zip(body["from"].as_i64()).map(|(to, from)| to - from)),
        (&json!(10_000), Some(900_000))
    );
    let series = body["series"].as_array().unwrap();
    assert!((90..=91).contains(&series.len()), "{}", series.len());
    assert_eq!(series.iter().filter_map(|point| point["runs"].as_u64()).sum::<u64>(), 1);
    assert_eq!(body["workers"], json!({"alive": 1, "lost": 0, "running": 3, "capacity": 4}));
    for list in ["errors", "models", "fleet", "queues"] {
        assert_eq!(body[list], json!([]), "{list}");
    }
    assert_eq!(body["costs"]["runs"], Value::Null, "nothing has a price");
    assert_eq!(body["workflows"][0]["runs"], 1);
    world.stop().await
}

#[tokio::test]
async fn who_asks_again_at_once_is_given_the_same_figures() -> anyhow::Result<()> {
    let world = World::start().await?;
    let first = world.get("/api/v1/stats?window=7d").await?.body;
    played(&world).await?;
    let again = world.get("/api/v1/stats?window=168h").await?.body;
    assert_eq!((&again["to"], &again["totals"]), (&first["to"], &first["totals"]));
    let other = world.get("/api/v1/stats?window=6d").await?.body;
    assert_eq!(other["totals"]["runs"], 1);
    world.stop().await
}

#[tokio::test]
async fn windows_are_bounded() -> anyhow::Result<()> {
    let world = World::start().await?;
    for window in ["59s", "32d", "0", "soon", "-1h", "1e9d"] {
        let refused = world.get(&format!("/api/v1/stats?window={window}")).await?;
        assert_eq!(
            (refused.status, &refused.body["errors"][0]["pointer"]),
            (400, &json!("/window")),
            "{window}"
        );
    }
    world.stop().await
}
