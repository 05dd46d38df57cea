//! Runs in line: how many are under way, who is next, and what a cancel finds there.

use std::time::Duration;

use millrace_config::Orchestrator;
use millrace_contracts::{EventType, ExecutionStatus, NodeStatus, UnixMillis};
use serde_json::json;

use crate::support::{DEADLINE, World, chain, outputs, picture, settings, statuses};

fn one_at_a_time() -> Orchestrator {
    Orchestrator { max_running_runs: 1, ..settings() }
}

#[tokio::test]
async fn a_newcomer_ends_while_a_batch_still_waits() -> anyhow::Result<()> {
    let world = World::start().await?;
    let replica = world.replica_with(one_at_a_time());
    world.limit_is(1).await?;
    let mut batch = Vec::new();
    for _ in 0..30 {
        batch.push(world.submit(&chain(1), json!({"photo": picture("root")})).await?);
    }
    let lone = world.submit(&chain(2), json!({"photo": picture("root")})).await?;
    let mut worker = world.worker().await?;
    while world.ended_already(lone).await?.is_none() {
        let job = worker.take().await?;
        worker.complete(&job, json!({"image": picture("done")})).await?;
        world.settled(job.job.execution_id, &job.job.node_id).await?;
    }
    let waiting = world.bus.line(9).await?.waiting;
    assert!(waiting >= 20, "most of the batch waits when the newcomer is done: {waiting}");
    for run in batch {
        while world.ended_already(run).await?.is_none() {
            let job = worker.take().await?;
            worker.complete(&job, json!({"image": picture("done")})).await?;
            world.settled(job.job.execution_id, &job.job.node_id).await?;
        }
        assert_eq!(world.status(run).await?, ExecutionStatus::Completed);
    }
    millrace_testkit::eventually(DEADLINE, "the line is empty", async || {
        let line = world.bus.line(9).await?;
        Ok::<_, millrace_bus::BusError>((line.waiting + line.running == 0).then_some(()))
    })
    .await?;
    replica.stop().await
}

/// Runs in a delay hold up nobody, however many there are; all of them go on when it is over.
#[tokio::test]
async fn runs_that_only_wait_for_time_hold_no_place() -> anyhow::Result<()> {
    let world = World::start().await?;
    let replica = world.replica_with(one_at_a_time());
    world.limit_is(1).await?;
    let until = UnixMillis::now().after(Duration::from_secs(3));
    let delayed = json!({"name": "delayed", "nodes": [
        {"id": "photo", "type": "image_input"},
        {"id": "wait", "type": "delay", "inputs": {"value": "$inputs.photo"}, "config": {"until": until.to_rfc3339()}},
        {"id": "small", "type": "resize", "inputs": {"image": "$nodes.wait.value"}, "config": {"width": 8}},
    ]});
    let mut resting = Vec::new();
    for _ in 0..10 {
        resting.push(world.submit(&delayed, json!({"photo": picture("root")})).await?);
    }
    let busy = world.submit(&chain(1), json!({"photo": picture("root")})).await?;
    let mut worker = world.worker().await?;
    let first = worker.take().await?;
    assert_eq!(first.job.execution_id, busy);
    millrace_testkit::eventually(DEADLINE, "all others rest", async || {
        let line = world.bus.line(9).await?;
        Ok::<_, millrace_bus::BusError>((line.waiting == 0 && line.running == 1).then_some(()))
    })
    .await?;
    assert!(UnixMillis::now() < until, "this machine is too slow for the test");
    worker.complete(&first, json!({"image": picture("done")})).await?;
    for _ in 0..resting.len() {
        let job = worker.take().await?;
        assert!(UnixMillis::now() >= until && world.bus.line(9).await?.running > 0, "they count again");
        worker.complete(&job, json!({"image": picture("done")})).await?;
    }
    for run in resting {
        world.ended(run).await?;
        assert_eq!(world.status(run).await?, ExecutionStatus::Completed);
    }
    replica.stop().await
}

#[tokio::test]
async fn a_run_that_is_cancelled_in_line_ends_at_once_and_never_begins() -> anyhow::Result<()> {
    let world = World::start().await?;
    let replica = world.replica_with(one_at_a_time());
    world.limit_is(1).await?;
    let first = world.submit(&chain(1), json!({"photo": picture("root")})).await?;
    let mut worker = world.worker().await?;
    let held = worker.take().await?;
    let waits = world.submit(&chain(1), json!({"photo": picture("root")})).await?;
    assert!(world.bus.place_in_line(waits).await?.is_some());

    world.bus.cancel(waits, "changed my mind").await?;
    let log = world.ended(waits).await?;
    assert_eq!(world.status(waits).await?, ExecutionStatus::Cancelled);
    assert_eq!(statuses(&log, "step0"), [NodeStatus::Cancelled]);
    assert!(log.iter().all(|event| event.kind != EventType::WorkflowStarted), "it never began");
    millrace_testkit::eventually(DEADLINE, "the line forgets it", async || {
        Ok::<_, millrace_bus::BusError>((world.bus.line(9).await?.waiting == 0).then_some(()))
    })
    .await?;

    worker.complete(&held, json!({"image": picture("late")})).await?;
    assert!(!outputs(&world.ended(first).await?).is_empty());
    // The next job of all is that of a run submitted later: none of the cancelled run's was ever queued.
    let next = world.submit(&chain(1), json!({"photo": picture("root")})).await?;
    assert_eq!(worker.take().await?.job.execution_id, next);
    replica.stop().await
}

#[tokio::test]
async fn a_run_in_line_that_cannot_be_walked_any_more_can_be_cancelled() -> anyhow::Result<()> {
    let world = World::start().await?;
    let replica = world.replica_with(one_at_a_time());
    world.limit_is(1).await?;
    // One for the limit, one for its reserve.
    let mut worker = world.worker().await?;
    for length in [1, 2] {
        world.submit(&chain(length), json!({"photo": picture("root")})).await?;
        worker.take().await?;
    }
    // What an older version accepted.
    let forgotten = json!({"name": "old", "nodes": [{"id": "x", "type": "no_such_block"}]});
    let waits = world.submit(&forgotten, json!({})).await?;
    assert!(world.bus.place_in_line(waits).await?.is_some());
    world.bus.cancel(waits, "changed my mind").await?;
    world.ended(waits).await?;
    assert_eq!(world.status(waits).await?, ExecutionStatus::Cancelled);
    replica.stop().await
}

/// Accepted runs wait in the record when everything else is lost; they come back, and none runs beyond the limit.
#[tokio::test]
async fn a_line_that_is_lost_is_made_anew() -> anyhow::Result<()> {
    let world = World::start().await?;
    let replica = world.replica_with(one_at_a_time());
    world.limit_is(1).await?;
    let mut runs = Vec::new();
    for _ in 0..6 {
        runs.push(world.submit(&chain(1), json!({"photo": picture("root")})).await?);
    }
    let mut worker = world.worker().await?;
    worker.take().await?;
    world.redis(redis::cmd("FLUSHALL")).await?;
    for _ in 0..runs.len() {
        let job = worker.take().await?;
        assert!(world.bus.line(9).await?.running <= 2, "the limit and its reserve hold");
        worker.complete(&job, json!({"image": picture("done")})).await?;
        world.settled(job.job.execution_id, &job.job.node_id).await?;
    }
    for run in runs {
        world.ended(run).await?;
        assert_eq!(world.status(run).await?, ExecutionStatus::Completed);
    }
    replica.stop().await
}
