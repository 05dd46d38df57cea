//! `/healthz`, `/readyz`, `/metrics`.

use millrace_testkit::eventually;

use crate::support::{DEADLINE, World};

#[tokio::test]
async fn readiness_names_what_is_missing() -> anyhow::Result<()> {
    let mut world = World::start().await?;
    assert_eq!(world.get("/healthz").await?.status, 200);
    assert_eq!(world.get("/readyz").await?.body["ready"], true);
    assert_eq!(world.get("/metrics").await?.status, 200);
    world.redis.server().kill().await;
    let missing = eventually(DEADLINE, "redis is missed", async || {
        let ready = world.get("/readyz").await?;
        Ok::<_, anyhow::Error>((ready.status == 503).then_some(ready.body))
    })
    .await?;
    assert_eq!(missing["missing"][0]["what"], "redis");
    assert_eq!(world.get("/healthz").await?.status, 200);
    world.redis.server().restart().await?;
    eventually(DEADLINE, "ready again", async || {
        Ok::<_, anyhow::Error>((world.get("/readyz").await?.status == 200).then_some(()))
    })
    .await?;
    world.stop().await
}
