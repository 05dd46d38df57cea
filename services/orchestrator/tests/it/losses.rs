//! Invariant 5: Redis may be lost whole; accepted runs are started again from Postgres.

use std::time::Duration;

use millrace_blobs::BlobsSettings;
use millrace_bus::Standing;
use millrace_config::{Objects, Orchestrator};
use millrace_contracts::event::LogPosition;
use millrace_contracts::message::{Accepted, Message};
use millrace_contracts::{EventType, ExecutionId};
use millrace_testkit::{TestBucket, eventually};
use serde_json::json;

use crate::support::{DEADLINE, World, chain, completed_nodes, picture, settings, without_sweeper};

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

/// The keys of the job queues of the pool `cpu`.
const QUEUE: &str = "{mr:q:cpu:-}:normal";

#[tokio::test]
async fn a_job_whose_queue_was_lost_is_sent_again() -> anyhow::Result<()> {
    let world = World::start().await?;
    let replica = world.replica();
    let run = world.submit(&chain(1), json!({"photo": picture("root")})).await?;
    let mut worker = world.worker().await?;
    let lost = worker.take().await?;
    world.redis(redis::cmd("DEL").arg(QUEUE).to_owned()).await?;
    let again = worker.take().await?;
    assert_eq!((again.job.id, again.job.attempt), (lost.job.id, 1), "the same attempt, not another");
    worker.complete(&again, json!({"image": picture("made")})).await?;
    let log = world.ended(run).await?;
    assert_eq!(completed_nodes(&log), ["photo", "step0", "answer"]);
    assert!(log.iter().all(|event| event.epoch == Some(1)), "the run itself was never lost");
    replica.stop().await
}

#[tokio::test]
async fn a_run_whose_end_is_not_recorded_yet_is_not_begun_again() -> anyhow::Result<()> {
    let world = World::start().await?;
    let forgetful = Orchestrator { keep_finished: Duration::from_millis(100), ..settings() };
    let replica = world.replica_with(forgetful);
    // Nobody records here.
    let run = world.submit(&chain(0), json!({"photo": picture("root")})).await?;
    eventually(DEADLINE, "the run has ended, and its state is gone", async || {
        let standings = world.bus.standings(&[run]).await?;
        let versions = world.bus.versions(&[run]).await?;
        anyhow::Ok((standings == [Standing::Unknown] && versions == [None]).then_some(()))
    })
    .await?;
    // One that is lost indeed: once it is begun, a sweep has looked at both.
    let is_elsewhere = |id: &ExecutionId| world.bus.partition_of(*id) != world.bus.partition_of(run);
    let other = std::iter::repeat_with(ExecutionId::generate).find(is_elsewhere).unwrap_or(run);
    let change = |accepted: &mut Accepted| accepted.execution_id = other;
    world.accept_with(&chain(0), json!({"photo": picture("root")}), change).await?;
    eventually(DEADLINE, "the other is begun", async || {
        let told = world.bus.oldest_unrecorded(&[world.bus.partition_of(other)]).await?;
        anyhow::Ok((!told.is_empty()).then_some(()))
    })
    .await?;
    assert!(!world.store.executions().claim_epoch(other, 2).await?, "the other lives a second time");
    assert!(world.store.executions().claim_epoch(run, 2).await?, "this one does not");
    replica.stop().await
}

#[tokio::test]
async fn a_run_that_is_put_off_keeps_no_other_from_being_woken() -> anyhow::Result<()> {
    let world = World::start_with(|blobs| blobs.cache_bytes = 0).await?;
    let replica = world.replica();
    let run = world.submit(&chain(1), json!({"photo": picture("root")})).await?;
    let mut worker = world.worker().await?;
    let lost = worker.take().await?;
    world.submit_unreadable("unreadable", world.bus.partition_of(run)).await?;
    world.redis(redis::cmd("DEL").arg(QUEUE).to_owned()).await?;
    let again = worker.take().await?;
    assert_eq!((again.job.id, again.job.attempt), (lost.job.id, 1));
    replica.stop().await
}

#[tokio::test]
async fn what_is_put_off_does_not_keep_a_lane_from_what_is_new() -> anyhow::Result<()> {
    let world = World::start_with(|blobs| blobs.cache_bytes = 0).await?;
    let one_by_one = || Orchestrator { batch_size: 1, lanes: 1, ..without_sweeper() };
    let replica = world.replica_with(one_by_one());
    let run = ExecutionId::generate();
    for name in ["one", "another"] {
        world.submit_unreadable(name, world.bus.partition_of(run)).await?;
    }
    // Whoever takes over begins with what is in hand.
    replica.vanish().await;
    let change = |accepted: &mut Accepted| accepted.execution_id = run;
    world.submit_with(&chain(0), json!({"photo": picture("root")}), change).await?;
    let replica = world.replica_with(one_by_one());
    world.ended(run).await?;
    replica.stop().await
}

#[tokio::test]
async fn what_stands_behind_messages_that_are_put_off_for_long_is_taken_too() -> anyhow::Result<()> {
    let mut bucket = TestBucket::start()?;
    // Longer than a lease: whoever looks again finds the same messages stale.
    let objects = Objects { retry_for: Duration::from_millis(1_500), ..bucket.objects() };
    let world = World::start_with(|blobs| {
        *blobs = BlobsSettings { objects, cache_bytes: 0, ..BlobsSettings::new(bucket.url("blobs")) };
    })
    .await?;
    let ended = ExecutionId::generate();
    let partition = world.bus.partition_of(ended);
    let neighbours =
        std::iter::repeat_with(ExecutionId::generate).filter(|id| world.bus.partition_of(*id) == partition);
    for run in neighbours.take(2) {
        let definition = json!({"name": run.to_string(), "nodes": []});
        let change = |accepted: &mut Accepted| accepted.execution_id = run;
        let accepted = world.accept_with(&definition, json!({}), change).await?;
        world.bus.post(&Message::Execute(Box::new(accepted))).await?;
    }
    // Of no run that anybody knows: it is dealt with without a blob.
    world.bus.cancel(ended, "too late").await?;
    // A replica that dies with all of them in hand.
    let in_hand = world.bus.inbox("gone").await?.read(&[partition], 10, Duration::from_secs(1)).await?;
    assert_eq!(in_hand.len(), 3);
    bucket.stop();
    let replica = world.replica_with(Orchestrator { batch_size: 1, lanes: 1, ..without_sweeper() });
    eventually(DEADLINE, "the last of them is dealt with", async || {
        Ok::<_, millrace_bus::BusError>((world.bus.inbox_depth().await? == 2).then_some(()))
    })
    .await?;
    replica.stop().await
}

#[tokio::test]
async fn a_run_waits_for_a_blob_store_that_is_away() -> anyhow::Result<()> {
    let world = World::start_with(|blobs| blobs.cache_bytes = 0).await?;
    let list = world.blobs.put_value(&json!(vec![7; 5_000])).await?;
    let file = world.file_of(list.blob);
    let bytes = std::fs::read(&file)?;
    std::fs::remove_file(&file)?;
    // What leads to itself is there and cannot be read: not even root can.
    std::os::unix::fs::symlink(&file, &file)?;
    let replica = world.replica();
    let definition = json!({"name": "reads", "nodes": [
        {"id": "list", "type": "parameter_input", "config": {"kind": "list<integer>"}},
        {"id": "each", "type": "map", "inputs": {"items": "$inputs.list"}, "config": {"expr": "item + 1"}},
        {"id": "answer", "type": "json_output", "inputs": {"items": "$nodes.each.items"}}]});
    let run = world.submit(&definition, json!({"list": list.to_value()})).await?;
    world.is_put_off(world.bus.partition_of(run)).await?;
    // In one go: in between, the blob would not be there at all.
    let whole = file.with_extension("whole");
    std::fs::write(&whole, bytes)?;
    std::fs::rename(&whole, &file)?;
    let log = world.ended(run).await?;
    assert_eq!(log.last().map(|event| event.kind), Some(EventType::WorkflowCompleted), "{log:?}");
    replica.stop().await
}

#[tokio::test]
async fn a_job_that_takes_long_is_not_sent_twice() -> anyhow::Result<()> {
    let world = World::start().await?;
    let replica = world.replica();
    let (first, second) = (chain(1), chain(1));
    let in_hand = world.submit(&first, json!({"photo": picture("root")})).await?;
    let mut worker = world.worker().await?;
    let taken = worker.take().await?;
    let waiting = world.submit(&second, json!({"photo": picture("other")})).await?;
    // Twenty times as long as it takes to be called quiet: many sweeps, and more than one wake-up.
    tokio::time::sleep(settings().stalled_after * 20).await;
    let depth =
        world.bus.queue_depths().await?.into_iter().map(|queue| queue.waiting + queue.pending).sum::<u64>();
    assert_eq!(depth, 2, "one job is in hand and one waits");
    worker.complete(&taken, json!({"image": picture("made")})).await?;
    let taken = worker.take().await?;
    worker.complete(&taken, json!({"image": picture("made")})).await?;
    world.ended(in_hand).await?;
    world.ended(waiting).await?;
    replica.stop().await
}

#[tokio::test]
async fn alarms_that_were_lost_are_set_again() -> anyhow::Result<()> {
    let world = World::start().await?;
    let replica = world.replica();
    let definition = json!({"name": "pause", "nodes": [
        {"id": "photo", "type": "parameter_input", "config": {"kind": "image"}},
        {"id": "pause", "type": "delay", "inputs": {"value": "$inputs.photo"}, "config": {"ms": 1500}},
        {"id": "answer", "type": "json_output", "inputs": {"last": "$nodes.pause.value"}},
    ]});
    let run = world.submit(&definition, json!({"photo": picture("root")})).await?;
    let timers = format!("{{mr:p{}}}:timers", world.bus.partition_of(run));
    eventually(DEADLINE, "the run is in its pause", async || {
        anyhow::Ok(world.bus.load_run(run).await?.filter(|run| run.fields.contains_key("n:pause")).map(drop))
    })
    .await?;
    world.redis(redis::cmd("DEL").arg(timers).to_owned()).await?;
    let log = world.ended(run).await?;
    assert_eq!(completed_nodes(&log), ["photo", "pause", "answer"]);
    replica.stop().await
}

#[tokio::test]
async fn no_two_lives_of_a_run_share_an_epoch() -> anyhow::Result<()> {
    let world = World::start().await?;
    let run = world.submit(&chain(1), json!({"photo": picture("root")})).await?;
    let mut epochs = Vec::new();
    // Nobody writes the record here: all it knows of these lives is what was written before each.
    for _ in 0..3 {
        world.redis(redis::cmd("FLUSHALL")).await?;
        let replica = world.replica();
        let mut worker = world.worker().await?;
        worker.take().await?;
        let log = world.bus.log(run, LogPosition { epoch: 0, seq: 0 }, 100).await?;
        epochs.extend(log.first().and_then(|event| event.epoch));
        replica.stop().await?;
    }
    assert_eq!(epochs, [2, 3, 4]);
    Ok(())
}

#[tokio::test]
async fn a_replica_that_lost_redis_stops_at_once() -> anyhow::Result<()> {
    let mut world = World::start().await?;
    let replica = world.replica();
    world.limit_is(settings().max_running_runs).await?;
    world.redis.server().kill().await;
    // What it looks after goes on elsewhere, and its leases end by themselves.
    tokio::time::timeout(Duration::from_secs(4), replica.stop()).await?
}

#[tokio::test]
async fn the_clock_of_a_run_that_was_lost_goes_on() -> anyhow::Result<()> {
    let world = World::start().await?;
    let replica = world.replica();
    let run = world.submit(&chain(1), json!({"photo": picture("root")})).await?;
    let mut worker = world.worker().await?;
    worker.take().await?;
    world.record(run).await?;
    let begun = world.store.executions().get(run).await?.summary.started_at;
    assert!(begun.is_some(), "its beginning is recorded");
    world.redis(redis::cmd("FLUSHALL")).await?;
    let again = worker.take().await?;
    worker.complete(&again, json!({"image": picture("made")})).await?;
    let log = world.ended(run).await?;
    let end = log.last().map(|event| event.data["started_at"].clone());
    assert_eq!(end, Some(json!(begun)));
    world.record(run).await?;
    assert_eq!(world.store.executions().get(run).await?.summary.started_at, begun);
    replica.stop().await
}
