//! `DELETE /executions/{id}`.

use millrace_store::RecordBatch;
use reqwest::Method;
use serde_json::json;

use crate::support::{Reply, World};

#[tokio::test]
async fn a_run_that_has_ended_is_deleted_and_its_id_says_so() -> anyhow::Result<()> {
    let world = World::start().await?;
    let mut player = world.play().await?;
    let path = format!("/api/v1/executions/{}", player.run);
    let delete = || Reply::of(world.request(Method::DELETE, &path));
    delete().await?.problem(409, "EXECUTION_NOT_ENDED");
    player.complete(json!({})).await?;
    // Its end is told, and not recorded: that is no fault of the caller's.
    delete().await?.problem(503, "REQUEST_TIMEOUT");
    world.store.record(&RecordBatch { events: player.committed.clone() }).await?;
    assert_eq!(delete().await?.status, 204);
    for below in ["", "/nodes"] {
        world.get(&format!("{path}{below}")).await?.problem(410, "GONE");
    }
    delete().await?.problem(410, "GONE");
    assert!(world.bus.load_run(player.run).await?.is_none(), "nothing of it is left in Redis");
    let listed = world.get("/api/v1/executions").await?.body;
    assert_eq!(listed["executions"], json!([]));
    let never = world.request(Method::DELETE, "/api/v1/executions/0199b5a2-0000-7000-8000-000000000000");
    Reply::of(never).await?.problem(404, "NOT_FOUND");
    world.stop().await
}
