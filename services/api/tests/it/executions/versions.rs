//! Which version of a saved workflow is run.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Reply, World, constant};

/// A workflow of two versions; its address.
async fn twice_saved(world: &World) -> anyhow::Result<String> {
    let path = format!("/api/v1/workflows/{}", world.save(&constant()).await?);
    let saved = Reply::of(world.request(Method::PUT, &path).json(&constant())).await?;
    anyhow::ensure!(saved.body["version"] == 2, "{saved:?}");
    Ok(path)
}

/// The version that an accepted run is of.
async fn version_of(world: &World, run: &Value) -> anyhow::Result<Value> {
    let run = run.as_str().unwrap_or_default();
    Ok(world.get(&format!("/api/v1/executions/{run}")).await?.body["version"].clone())
}

#[tokio::test]
async fn the_newest_version_is_run_or_the_one_that_is_named() -> anyhow::Result<()> {
    let world = World::start().await?;
    let path = twice_saved(&world).await?;
    for (query, version) in [("", 2), ("?version=1", 1), ("?version=2", 2)] {
        let run = world.post(&format!("{path}/run{query}"), &json!({})).await?;
        assert_eq!(run.status, 202, "{run:?}");
        assert_eq!(version_of(&world, &run.body["execution_id"]).await?, version, "{query}");
        let batch = world.post(&format!("{path}/run-batch{query}"), &json!({"inputs": [{}]})).await?;
        assert_eq!(batch.status, 202, "{batch:?}");
        assert_eq!(version_of(&world, &batch.body["execution_ids"][0]).await?, version, "{query}");
    }
    assert_eq!(world.post(&format!("{path}/run?version=3"), &json!({})).await?.status, 404);
    world.post(&format!("{path}/run?version=one"), &json!({})).await?.problem(400, "INVALID_QUERY");
    world.stop().await
}

#[tokio::test]
async fn a_key_stands_for_the_version_too() -> anyhow::Result<()> {
    let world = World::start().await?;
    let path = twice_saved(&world).await?;
    let first = format!("{path}/run?version=1");
    let run = world.post_keyed(&first, &json!({}), "one").await?;
    let again = world.post_keyed(&first, &json!({}), "one").await?;
    assert_eq!(run.body["execution_id"], again.body["execution_id"]);
    for other in ["?version=2", ""] {
        let refused = world.post_keyed(&format!("{path}/run{other}"), &json!({}), "one").await?;
        refused.problem(422, "IDEMPOTENCY_KEY_REUSED");
    }
    world.stop().await
}
