//! `/workflows`.

mod again;
mod answers;
mod calls;
mod remembered;
mod run;
mod run_batch;
mod uploads;
mod validate;
mod versions;

use reqwest::Method;

use crate::support::{Reply, World, constant, show};

#[tokio::test]
async fn a_workflow_is_saved_shown_listed_and_deleted() -> anyhow::Result<()> {
    let world = World::start().await?;
    let saved = world.post("/api/v1/workflows", &show()).await?;
    assert_eq!((saved.status, saved.header("etag")), (201, "\"1\""));
    let path = saved.header("location").to_owned();
    let shown = world.get(&path).await?;
    assert_eq!(shown.body["name"], "show");
    assert_eq!(shown.body["definition"]["nodes"][0]["type"], "image_input@1", "versions are pinned");
    let unchanged = world.request(Method::GET, &path).header("if-none-match", "\"1\"");
    assert_eq!(Reply::of(unchanged).await?.status, 304);

    world.save(&constant()).await?;
    let first = world.get("/api/v1/workflows?limit=1").await?;
    assert_eq!(first.body["workflows"][0]["name"], "constant");
    let cursor = first.body["next_cursor"].as_str().unwrap();
    let second = world.get(&format!("/api/v1/workflows?limit=1&cursor={cursor}")).await?;
    assert_eq!(second.body["workflows"][0]["name"], "show");

    let named = world.get("/api/v1/workflows?name=SHO").await?;
    assert_eq!(named.body["workflows"].as_array().map(Vec::len), Some(1), "{named:?}");
    assert_eq!(named.body["workflows"][0]["name"], "show");
    assert_eq!(world.get("/api/v1/workflows?name=s%25w").await?.body["workflows"], serde_json::json!([]));

    assert_eq!(Reply::of(world.request(Method::DELETE, &path)).await?.status, 204);
    world.get(&path).await?.problem(410, "GONE");
    world.get("/api/v1/workflows/not-an-id").await?.problem(404, "NOT_FOUND");
    world.get("/api/v1/workflows?cursor=rubbish").await?.problem(400, "INVALID_CURSOR").fault(
        "INVALID_CURSOR",
        None,
        "/cursor",
    );
    world.get("/api/v1/workflows?limit=0").await?.problem(400, "INVALID_QUERY").fault(
        "INVALID_VALUE",
        None,
        "/limit",
    );
    world.stop().await
}
