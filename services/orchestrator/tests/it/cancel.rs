//! A cancel ends the run at once, whether or not a worker answers, and no job of it is taken afterwards.

use millrace_contracts::{ExecutionStatus, NodeStatus};
use serde_json::json;

use crate::support::{World, chain, picture, statuses};

#[tokio::test]
async fn a_cancelled_run_ends_without_its_worker() -> anyhow::Result<()> {
    let world = World::start().await?;
    let replica = world.replica();
    let run = world.submit(&chain(2), json!({"photo": picture("root")})).await?;
    let mut worker = world.worker().await?;
    let held = worker.take().await?;
    world.bus.cancel(run, "changed my mind").await?;
    let log = world.ended(run).await?;
    assert_eq!(world.status(run).await?, ExecutionStatus::Cancelled);
    assert_eq!(statuses(&log, "step0"), [NodeStatus::Cancelled]);
    worker.complete(&held, json!({"image": picture("late")})).await?;
    // The next run's end proves that the late report has been read: inboxes are in order where partitions agree, and
    // a report that changed something would show in the log.
    let next = world.submit(&chain(0), json!({"photo": picture("root")})).await?;
    world.ended(next).await?;
    assert_eq!(world.ended(run).await?.len(), log.len());
    replica.stop().await
}
