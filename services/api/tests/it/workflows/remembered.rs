//! Saved workflows are remembered by every replica, and no replica runs what is no longer saved.

use millrace_api::run;
use reqwest::Method;
use serde_json::json;
use sqlx::{Connection, PgConnection};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::support::{DEADLINE, Reply, World, constant};

#[tokio::test]
async fn what_was_saved_is_run_at_once_by_every_replica() -> anyhow::Result<()> {
    let world = World::start().await?;
    let path = format!("/api/v1/workflows/{}", world.save(&constant()).await?);
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = format!("http://{}", listener.local_addr()?);
    let stop = CancellationToken::new();
    let replica = tokio::spawn(run(world.deps(), listener, stop.clone()));
    let elsewhere =
        async || Reply::of(world.client.post(format!("{address}{path}/run")).json(&json!({}))).await;
    for version in 1..=20 {
        for reply in [world.post(&format!("{path}/run"), &json!({})).await?, elsewhere().await?] {
            assert_eq!((reply.status, reply.body["version"].as_u64()), (202, Some(version)), "{reply:?}");
        }
        let mut next = constant();
        next["name"] = json!(format!("version {}", version + 1));
        let saved = Reply::of(world.request(Method::PUT, &path).json(&next)).await?;
        assert_eq!(saved.status, 200, "{saved:?}");
    }
    Reply::of(world.request(Method::DELETE, &path)).await?;
    elsewhere().await?.problem(410, "GONE");
    stop.cancel();
    replica.await??;
    world.stop().await
}

#[tokio::test]
async fn a_run_of_a_known_workflow_does_not_wait_for_its_table() -> anyhow::Result<()> {
    let world = World::start().await?;
    let path = format!("/api/v1/workflows/{}/run", world.save(&constant()).await?);
    assert_eq!(world.post(&path, &json!({})).await?.status, 202);
    let mut other = PgConnection::connect(&world.postgres.url()).await?;
    let mut held = other.begin().await?;
    sqlx::raw_sql("lock table wf_workflows in access exclusive mode").execute(&mut *held).await?;
    let accepted = tokio::time::timeout(DEADLINE, world.post(&path, &json!({}))).await??;
    assert_eq!(accepted.status, 202, "{accepted:?}");
    held.rollback().await?;
    world.stop().await
}
