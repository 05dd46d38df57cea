//! `POST /executions/{id}/cancel`.

use millrace_contracts::{EventType, ExecutionId, ExecutionStatus};
use reqwest::Method;
use serde_json::json;

use crate::support::{Follower, Reply, World};

#[tokio::test]
async fn a_cancel_is_passed_on_and_may_be_repeated() -> anyhow::Result<()> {
    let world = World::start().await?;
    let mut feed = Follower::open(world.request(Method::GET, "/api/v1/events?types=cancel")).await?;
    let mut player = world.play().await?;
    player.start().await?;
    let path = format!("/api/v1/executions/{}/cancel", player.run);
    let asked = world.post(&path, &json!({"reason": "changed my mind"})).await?;
    assert_eq!(asked.status, 202, "{asked:?}");
    assert_eq!(feed.expect("cancel").await?.data["data"]["reason"], "changed my mind");
    player.end(ExecutionStatus::Cancelled, EventType::WorkflowCancelled, json!({})).await?;
    let again = Reply::of(world.request(Method::POST, &path)).await?;
    assert_eq!((again.status, again.body["status"].as_str()), (202, Some("cancelled")));

    let mut done = world.play().await?;
    done.complete(json!({})).await?;
    let late =
        Reply::of(world.request(Method::POST, &format!("/api/v1/executions/{}/cancel", done.run))).await?;
    late.problem(409, "EXECUTION_ENDED");
    // Some clients say what a body is even where they send none.
    let empty = world.request(Method::POST, &path).header("content-type", "application/json");
    assert_eq!(Reply::of(empty).await?.status, 202);
    let untyped = world.request(Method::POST, &path).body("{\"reason\": \"changed my mind\"}");
    Reply::of(untyped).await?.problem(415, "UNSUPPORTED_MEDIA_TYPE");
    world.post(&path, &json!({"raeson": "x"})).await?.problem(422, "INVALID_REQUEST").fault(
        "UNKNOWN_FIELD",
        None,
        "/raeson",
    );
    let nobody = format!("/api/v1/executions/{}/cancel", ExecutionId::generate());
    Reply::of(world.request(Method::POST, &nobody)).await?.problem(404, "NOT_FOUND");
    world.stop().await
}
