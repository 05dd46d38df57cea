//! A cancel ends the run at once, whether or not a worker answers, and no job of it is taken afterwards.

use std::time::{Duration, Instant};

use millrace_bus::Standing;
use millrace_config::Orchestrator;
use millrace_contracts::{ExecutionStatus, NodeStatus};
use millrace_testkit::eventually;
use serde_json::json;

use crate::support::{DEADLINE, World, chain, nowhere, picture, statuses, without_sweeper};

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

/// A thousand items, all of them queued; what a worker has in hand is told to it, what waits is never given out.
#[tokio::test]
async fn a_cancel_with_a_thousand_queued_items_ends_the_run_in_two_seconds_and_starts_no_job_after()
-> anyhow::Result<()> {
    const ITEMS: usize = 1_000;
    let world = World::start().await?;
    let replica = world.replica();
    let definition = json!({"name": "fan out", "nodes": [
        {"id": "photos", "type": "parameter_input", "config": {"kind": "list<image>"}},
        {"id": "each", "type": "for_each", "inputs": {"items": "$inputs.photos"},
            "config": {"max_parallel": ITEMS}},
        {"id": "step", "type": "resize", "inputs": {"image": "$nodes.each.item"}, "config": {"width": 8}},
        {"id": "all", "type": "collect", "inputs": {"item": "$nodes.step.image"}},
        {"id": "answer", "type": "json_output", "inputs": {"images": "$nodes.all.items"}}
    ]});
    let photos: Vec<_> = (0..ITEMS).map(|at| picture(&at.to_string())).collect();
    let run = world.submit(&definition, json!({"photos": photos})).await?;
    let mut worker = world.worker().await?;
    let held = worker.take().await?;
    eventually(DEADLINE, "all items are queued", async || {
        let depths = world.bus.queue_depths().await?;
        let queued: u64 = depths.iter().map(|depth| depth.waiting + depth.pending).sum();
        Ok::<_, millrace_bus::BusError>((queued == ITEMS as u64).then_some(()))
    })
    .await?;

    let asked = Instant::now();
    world.bus.cancel(run, "changed my mind").await?;
    let log = world.ended(run).await?;
    assert!(asked.elapsed() < Duration::from_secs(2), "it took {:?}", asked.elapsed());
    assert_eq!(world.status(run).await?, ExecutionStatus::Cancelled);
    assert_eq!(statuses(&log, "step").len(), ITEMS);

    // Once the end is told to the queues, which is before the cancel is acknowledged, nothing is given out.
    eventually(DEADLINE, "the cancel is dealt with", async || {
        Ok::<_, millrace_bus::BusError>((world.bus.inbox_depth().await? == 0).then_some(()))
    })
    .await?;
    let next = world.submit(&chain(1), json!({"photo": picture("root")})).await?;
    assert_eq!(worker.take().await?.job.execution_id, next, "none of the cancelled run's jobs is given out");
    worker.complete(&held, json!({"image": picture("late")})).await?;
    replica.stop().await
}

#[tokio::test]
async fn a_run_whose_live_state_is_lost_can_be_cancelled() -> anyhow::Result<()> {
    let world = World::start().await?;
    let replica = world.replica_with(without_sweeper());
    let run = world.submit(&chain(1), json!({"photo": picture("root")})).await?;
    world.worker().await?.take().await?;
    world.redis(redis::cmd("FLUSHALL")).await?;
    world.bus.cancel(run, "changed my mind").await?;
    let log = world.ended(run).await?;
    assert_eq!(world.status(run).await?, ExecutionStatus::Cancelled);
    assert!(log.iter().all(|event| event.epoch == Some(2)), "numbers of the lost log are not used again");
    replica.stop().await
}

#[tokio::test]
async fn a_cancel_waits_for_the_postgres_that_knows_its_run() -> anyhow::Result<()> {
    let world = World::start().await?;
    let run = world.submit(&chain(1), json!({"photo": picture("root")})).await?;
    world.redis(redis::cmd("FLUSHALL")).await?;
    world.bus.cancel(run, "changed my mind").await?;
    let cut_off = world.replica_on(nowhere()?, Orchestrator { lanes: 1, ..without_sweeper() });
    // Sent later and ended: by then the cancel was looked at.
    let next = world.submit(&chain(0), json!({"photo": picture("root")})).await?;
    world.ended(next).await?;
    cut_off.stop().await?;

    let replica = world.replica_with(without_sweeper());
    world.ended(run).await?;
    assert_eq!(world.status(run).await?, ExecutionStatus::Cancelled);
    replica.stop().await
}

#[tokio::test]
async fn a_run_is_not_cancelled_while_its_end_waits_to_be_recorded() -> anyhow::Result<()> {
    let world = World::start().await?;
    let forgetful = Orchestrator { keep_finished: Duration::from_millis(100), ..without_sweeper() };
    let replica = world.replica_with(forgetful);
    // Nobody records here.
    let run = world.submit(&chain(0), json!({"photo": picture("root")})).await?;
    eventually(DEADLINE, "the run has ended, and its state is gone", async || {
        let standings = world.bus.standings(&[run]).await?;
        let versions = world.bus.versions(&[run]).await?;
        anyhow::Ok((standings == [Standing::Unknown] && versions == [None]).then_some(()))
    })
    .await?;
    world.bus.cancel(run, "it seems to hang").await?;
    world.is_put_off(world.bus.partition_of(run)).await?;
    replica.stop().await?;
    assert_eq!(world.bus.inbox_depth().await?, 1, "the cancel waits");
    assert!(world.store.executions().claim_epoch(run, 2).await?, "the run does not live a second time");
    Ok(())
}
