//! `/blocks`.

use crate::support::World;

#[tokio::test]
async fn the_catalogue_is_shown() -> anyhow::Result<()> {
    let world = World::start().await?;
    let all = world.get("/api/v1/blocks").await?;
    let types: Vec<_> = all.body["blocks"].as_array().unwrap().iter().map(|block| &block["type"]).collect();
    assert!(types.iter().any(|name| *name == "detection"), "{types:?}");
    let one = world.get("/api/v1/blocks/crop@1").await?;
    assert_eq!((one.status, one.body["id"].as_str()), (200, Some("crop@1")));
    assert_eq!(world.get("/api/v1/blocks/crop").await?.body["version"], 1);
    world.get("/api/v1/blocks/teleport").await?.problem(404, "NOT_FOUND");
    world.get("/api/v1/blocks/crop@99").await?.problem(404, "NOT_FOUND");
    world.stop().await
}
