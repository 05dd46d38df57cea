//! Retries wait in the timers set, not in memory.

use millrace_contracts::{ErrorKind, ExecutionStatus, NodeStatus};
use serde_json::json;

use crate::support::{World, chain, picture, statuses};

#[tokio::test]
async fn a_retry_survives_the_replica_that_scheduled_it() -> anyhow::Result<()> {
    let world = World::start().await?;
    let first = world.replica();
    let run = world.submit(&chain(1), json!({"photo": picture("root")})).await?;
    let mut worker = world.worker().await?;
    let taken = worker.take().await?;
    worker.fail(&taken, ErrorKind::Network).await?;
    first.stop().await?;
    let second = world.replica();
    let again = worker.take().await?;
    assert_eq!((again.job.attempt, again.job.node_id.as_str()), (2, "step0"));
    worker.complete(&again, json!({"image": picture("made")})).await?;
    let log = world.ended(run).await?;
    assert_eq!(statuses(&log, "step0"), [NodeStatus::Pending, NodeStatus::Completed]);
    second.stop().await
}

#[tokio::test]
async fn a_failure_that_cannot_get_better_fails_the_run_at_once() -> anyhow::Result<()> {
    let world = World::start().await?;
    let replica = world.replica();
    let run = world.submit(&chain(2), json!({"photo": picture("root")})).await?;
    let mut worker = world.worker().await?;
    let taken = worker.take().await?;
    worker.fail(&taken, ErrorKind::InvalidInput).await?;
    let log = world.ended(run).await?;
    assert_eq!(statuses(&log, "step0"), [NodeStatus::Failed]);
    assert_eq!(statuses(&log, "step1"), [NodeStatus::Cancelled]);
    let error = &log.last().expect("a run has a last event").data["error"];
    assert_eq!((&error["kind"], &error["node"]), (&json!("INVALID_INPUT"), &json!("step0")));
    assert_eq!(world.status(run).await?, ExecutionStatus::Failed);
    replica.stop().await
}
