//! `PUT /workflows/{id}` and `/workflows/{id}/versions`.

use reqwest::Method;
use serde_json::json;

use crate::support::{Reply, World, constant, show};

#[tokio::test]
async fn a_save_is_a_version_and_two_editors_do_not_undo_each_other() -> anyhow::Result<()> {
    let world = World::start().await?;
    let path = format!("/api/v1/workflows/{}", world.save(&show()).await?);
    let put =
        |tag: &str| Reply::of(world.request(Method::PUT, &path).header("if-match", tag).json(&constant()));
    let second = put("\"1\"").await?;
    assert_eq!((second.status, second.header("etag")), (200, "\"2\""));
    put("\"1\"").await?.problem(412, "PRECONDITION_FAILED");
    put("yesterday's").await?.problem(400, "INVALID_HEADER");
    let broken = Reply::of(world.request(Method::PUT, &path).json(&json!({"nodes": []}))).await?;
    broken.problem(422, "INVALID_WORKFLOW");

    let versions = world.get(&format!("{path}/versions")).await?;
    let numbers: Vec<_> =
        versions.body["versions"].as_array().unwrap().iter().map(|row| &row["version"]).collect();
    assert_eq!(numbers, [&json!(2), &json!(1)]);
    let first = world.get(&format!("{path}/versions/1")).await?;
    assert_eq!(first.body["definition"]["name"], "show");
    world.get(&format!("{path}/versions/9")).await?.problem(404, "NOT_FOUND");
    let stale = world.request(Method::DELETE, &path).header("if-match", "\"1\"");
    Reply::of(stale).await?.problem(412, "PRECONDITION_FAILED");

    // A run pins the newest version.
    let run = world.post(&format!("{path}/run"), &json!({})).await?;
    assert_eq!((run.status, run.body["version"].as_u64()), (202, Some(2)), "{run:?}");
    world.stop().await
}
