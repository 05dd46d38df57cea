//! `/dead-letters`.

use serde_json::json;

use crate::support::World;

#[tokio::test]
async fn dead_letters_are_listed() -> anyhow::Result<()> {
    let world = World::start().await?;
    assert_eq!(world.get("/api/v1/dead-letters").await?.body, json!({"dead_letters": []}));
    world.get("/api/v1/dead-letters?limit=0").await?.problem(400, "INVALID_QUERY");
    world.stop().await
}
