//! Invariant 5: Redis may be lost whole; accepted runs are started again from Postgres.

use serde_json::json;

use crate::support::{World, chain, completed_nodes, picture};

#[tokio::test]
async fn invariant_5_a_run_survives_the_loss_of_redis() -> anyhow::Result<()> {
    let world = World::start().await?;
    let replica = world.replica();
    let run = world.submit(&chain(1), json!({"photo": picture("root")})).await?;
    let mut worker = world.worker().await?;
    let lost = worker.take().await?;
    world.redis(redis::cmd("FLUSHALL")).await?;
    drop(lost);
    let again = worker.take().await?;
    assert_eq!(again.job.execution_id, run);
    worker.complete(&again, json!({"image": picture("made")})).await?;
    let log = world.ended(run).await?;
    assert_eq!(completed_nodes(&log), ["photo", "step0", "answer"]);
    assert!(log.iter().all(|event| event.epoch == Some(2)), "numbers of the lost log are not used again");
    replica.stop().await
}

#[tokio::test]
async fn a_run_that_never_reached_redis_is_started_by_the_sweeper() -> anyhow::Result<()> {
    let world = World::start().await?;
    let run = world.submit(&chain(0), json!({"photo": picture("root")})).await?;
    world.redis(redis::cmd("FLUSHALL")).await?;
    let replica = world.replica();
    let log = world.ended(run).await?;
    assert_eq!(completed_nodes(&log), ["photo", "answer"]);
    replica.stop().await
}
