//! `/events`: the firehose.

use reqwest::Method;
use serde_json::json;

use crate::support::{Follower, World};

#[tokio::test]
async fn dashboards_see_what_passes_their_filters() -> anyhow::Result<()> {
    let world = World::start().await?;
    let mut all =
        Follower::open(world.request(Method::GET, "/api/v1/events?types=started,completed")).await?;
    let mut one = world.play().await?;
    let path = format!("/api/v1/events?types=workflow:*&execution_id={}", one.run);
    let mut its = Follower::open(world.request(Method::GET, &path)).await?;
    let mut other = world.play().await?;
    other.start().await?;
    one.start().await?;
    one.node("min").await?;
    one.complete(json!({})).await?;
    for run in [other.run, one.run] {
        assert_eq!(all.expect("started").await?.data["executionid"], json!(run));
    }
    all.expect("completed").await?;
    let told = its.expect("started").await?;
    assert_eq!((told.data["executionid"].clone(), told.id.as_str()), (json!(one.run), ""));
    its.expect("node.completed").await?;
    its.expect("completed").await?;
    world.get("/api/v1/events?types=nonsense").await?.problem(400, "INVALID_QUERY");
    world.get("/api/v1/events?workflow_id=x").await?.problem(400, "INVALID_QUERY");
    world.shut_down();
    all.expect("reconnect").await?;
    assert!(all.next().await?.is_none());
    world.stop().await
}
