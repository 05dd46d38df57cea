//! Invariant 4: another replica takes over, from an orderly end and from a sudden one.

use millrace_contracts::ExecutionStatus;
use serde_json::json;

use crate::support::{World, chain, completed_nodes, picture};

#[tokio::test]
async fn invariant_4_a_replica_that_vanishes_is_replaced() -> anyhow::Result<()> {
    let world = World::start().await?;
    let first = world.replica();
    let run = world.submit(&chain(3), json!({"photo": picture("root")})).await?;
    let mut worker = world.worker().await?;
    let taken = worker.take().await?;
    first.vanish().await;
    worker.complete(&taken, json!({"image": picture("made0")})).await?;
    let second = world.replica();
    for at in 1..3 {
        let taken = worker.take().await?;
        worker.complete(&taken, json!({"image": picture(&format!("made{at}"))})).await?;
    }
    let log = world.ended(run).await?;
    assert_eq!(completed_nodes(&log).len(), 5);
    second.stop().await
}

#[tokio::test]
async fn two_replicas_share_the_runs() -> anyhow::Result<()> {
    let world = World::start().await?;
    let replicas = [world.replica(), world.replica()];
    let mut runs = Vec::new();
    for number in 0..20 {
        runs.push(world.submit(&chain(2), json!({"photo": picture(&format!("root{number}"))})).await?);
    }
    let mut worker = world.worker().await?;
    for number in 0..40 {
        let taken = worker.take().await?;
        worker.complete(&taken, json!({"image": picture(&format!("made{number}"))})).await?;
    }
    for run in runs {
        let log = world.ended(run).await?;
        assert_eq!(completed_nodes(&log).len(), 4);
        assert_eq!(world.status(run).await?, ExecutionStatus::Completed);
    }
    for replica in replicas {
        replica.stop().await?;
    }
    Ok(())
}
