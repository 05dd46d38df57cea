//! `/healthz`, `/readyz`, `/metrics`.

use millrace_contracts::job::Priority;
use millrace_contracts::{ExecutionId, Flow, ItemPath, Job, JobId, Partition, UnixMillis};
use millrace_testkit::eventually;
use serde_json::Map;

use crate::support::{DEADLINE, World, counted};

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

#[tokio::test]
async fn without_its_tables_or_its_blobs_it_is_not_ready() -> anyhow::Result<()> {
    let world = World::start().await?;
    let missing = async || {
        let ready = world.get("/readyz").await?;
        let missing = ready.body["missing"].as_array().cloned().unwrap_or_default();
        anyhow::Ok((ready.status, missing.iter().map(|check| check["what"].clone()).collect::<Vec<_>>()))
    };
    assert_eq!(missing().await?, (200, vec![]));
    let raw = sqlx::PgPool::connect(&world.postgres.url()).await?;
    sqlx::raw_sql("alter table _sqlx_migrations rename to elsewhere").execute(&raw).await?;
    assert_eq!(missing().await?, (503, vec!["tables".into()]));
    sqlx::raw_sql("alter table elsewhere rename to _sqlx_migrations").execute(&raw).await?;
    let (folder, away) = (world.folder.path(), world.folder.path().with_extension("away"));
    std::fs::rename(folder, &away)?;
    assert_eq!(missing().await?, (503, vec!["blobs".into()]));
    std::fs::rename(&away, folder)?;
    assert_eq!(missing().await?, (200, vec![]));
    world.stop().await
}

/// A job without a model.
pub(crate) fn job() -> Job {
    let (execution_id, path) = (ExecutionId::generate(), ItemPath::root());
    Job {
        id: JobId::of(execution_id, &"shrink".into(), &path, 1),
        execution_id,
        workflow_id: None,
        node_id: "shrink".into(),
        path,
        attempt: 1,
        task: "resize@1".into(),
        model: None,
        pool: "cpu".into(),
        priority: Priority::Normal,
        flow: Flow::default(),
        inputs: Map::new(),
        config: Map::new(),
        then: Vec::new(),
        queued_at: UnixMillis::now(),
        deadline: None,
        traceparent: None,
        reply_to: Partition(0),
        outlives_run: false,
    }
}

/// What `k8s/keda.yaml` asks for.
#[tokio::test]
async fn metrics_tell_how_many_jobs_wait() -> anyhow::Result<()> {
    let metrics = counted();
    let world = World::start().await?;
    world.bus.enqueue(&[job(), job()], &[]).await?;
    let told = eventually(DEADLINE, "the queue is told of", async || {
        let text = metrics.render();
        let line =
            text.lines().find(|line| line.starts_with("millrace_queue_waiting{") && line.ends_with(" 2"));
        anyhow::Ok(line.map(ToOwned::to_owned))
    })
    .await?;
    for label in [r#"pool="cpu""#, r#"model="""#, r#"priority="normal""#] {
        assert!(told.contains(label), "{told}");
    }
    world.stop().await
}
