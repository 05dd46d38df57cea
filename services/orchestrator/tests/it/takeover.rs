//! Invariant 4: another replica takes over, from an orderly end and from a sudden one.

use millrace_contracts::event::Source;
use millrace_contracts::message::Message;
use millrace_contracts::{Event, EventType, ExecutionId, ExecutionStatus};
use millrace_testkit::eventually;
use serde_json::{Value, json};

use crate::support::{DEADLINE, World, chain, completed_nodes, picture, without_sweeper};

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

/// Hands a message out to the lane that reads the inbox, without the lane ever hearing of it.
const LOSE_A_REPLY: &str = "
    local lane = redis.call('XINFO', 'CONSUMERS', KEYS[1], 'orchestrator')[1][2]
    redis.call('XADD', KEYS[1], '*', 'm', ARGV[1])
    return redis.call('XREADGROUP', 'GROUP', 'orchestrator', lane, 'STREAMS', KEYS[1], '>')";

#[tokio::test]
async fn invariant_4_a_message_whose_reading_was_never_answered_is_taken_again() -> anyhow::Result<()> {
    let world = World::start().await?;
    let replica = world.replica();
    let run = world.submit(&chain(1), json!({"photo": picture("root")})).await?;
    let mut worker = world.worker().await?;
    worker.take().await?;
    let cancel = Message::Cancel { execution_id: run, reason: "changed my mind".to_owned() };
    let inbox = format!("{{mr:p{}}}:inbox", world.bus.partition_of(run));
    let mut lose = redis::cmd("EVAL");
    lose.arg(LOSE_A_REPLY).arg(1).arg(inbox).arg(serde_json::to_string(&cancel)?);
    world.redis(lose).await?;
    world.ended(run).await?;
    assert_eq!(world.status(run).await?, ExecutionStatus::Cancelled);
    replica.stop().await
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

/// `size` jobs that need nothing of each other.
fn wide(size: usize) -> Value {
    let mut nodes = vec![json!({"id": "photo", "type": "parameter_input", "config": {"kind": "image"}})];
    nodes.extend((0..size).map(|at| {
        json!({"id": format!("step{at}"), "type": "resize", "inputs": {"image": "$inputs.photo"}, "config": {"width": 8}})
    }));
    json!({"name": "wide", "nodes": nodes})
}

/// Hands what is in the inbox of `run` to somebody who is never heard of again.
async fn somebody_reads_and_dies(world: &World, run: ExecutionId) -> anyhow::Result<()> {
    let inbox = format!("{{mr:p{}}}:inbox", world.bus.partition_of(run));
    let mut read = redis::cmd("XREADGROUP");
    read.arg(&["GROUP", "orchestrator", "ghost", "COUNT", "100", "STREAMS", &inbox, ">"]);
    world.redis(read).await
}

#[tokio::test]
async fn messages_that_come_again_do_not_multiply_the_jobs_that_are_out() -> anyhow::Result<()> {
    let world = World::start().await?;
    let first = world.replica();
    let run = world.submit(&wide(60), json!({"photo": picture("root")})).await?;
    let mut worker = world.worker().await?;
    let mut taken = vec![worker.take().await?];
    first.stop().await?;
    for _ in 1..20 {
        taken.push(worker.take().await?);
    }
    for job in &taken {
        worker.complete(job, json!({"image": picture("made")})).await?;
    }
    somebody_reads_and_dies(&world, run).await?;
    let second = world.replica();
    world.settled(run, &taken[19].job.node_id).await?;
    let queues = world.bus.queue_depths().await?;
    let depth: u64 = queues.into_iter().map(|queue| queue.waiting + queue.pending).sum();
    assert_eq!(depth, 40, "each job that is left is in the queue once");
    for _ in 0..40 {
        let job = worker.take().await?;
        worker.complete(&job, json!({"image": picture("made")})).await?;
    }
    let log = world.ended(run).await?;
    assert_eq!(completed_nodes(&log).len(), 61);
    second.stop().await
}

#[tokio::test]
async fn invariant_4_work_whose_report_is_still_unread_is_not_done_again() -> anyhow::Result<()> {
    let world = World::start().await?;
    let first = world.replica();
    let run = world.submit(&wide(2), json!({"photo": picture("root")})).await?;
    let mut worker = world.worker().await?;
    let taken = [worker.take().await?, worker.take().await?];
    first.stop().await?;
    worker.complete(&taken[0], json!({"image": picture("made")})).await?;
    somebody_reads_and_dies(&world, run).await?;
    worker.complete(&taken[1], json!({"image": picture("made")})).await?;
    // The first report comes again, and comes first: the second job is in no queue, since it is done.
    let second = world.replica_with(without_sweeper());
    world.ended(run).await?;
    eventually(DEADLINE, "all messages are dealt with", async || {
        Ok::<_, millrace_bus::BusError>((world.bus.inbox_depth().await? == 0).then_some(()))
    })
    .await?;
    assert!(worker.try_take().await?.is_none(), "nothing is left to do");
    second.stop().await
}

/// The connection broke behind a commit: it is sent again and finds that the run has changed, by its own hand.
#[tokio::test]
async fn invariant_4_jobs_of_a_commit_whose_answer_was_lost_are_sent() -> anyhow::Result<()> {
    let world = World::start().await?;
    let replica = world.replica_with(without_sweeper());
    let run = world.submit(&chain(1), json!({"photo": picture("root")})).await?;
    let mut worker = world.worker().await?;
    let unsent = worker.take().await?;
    world.redis(redis::cmd("DEL").arg("{mr:q:cpu:-}:normal").to_owned()).await?;
    let (accepted, _) = world.store.executions().accepted(run).await?;
    world.bus.post(&Message::Execute(Box::new(accepted))).await?;
    let sent = worker.take().await?;
    assert_eq!((sent.job.id, sent.job.attempt), (unsent.job.id, 1));
    worker.complete(&sent, json!({"image": picture("made")})).await?;
    assert_eq!(completed_nodes(&world.ended(run).await?), ["photo", "step0", "answer"]);
    replica.stop().await
}

/// Whoever ended the run died before it told the queues.
#[tokio::test]
async fn jobs_of_a_run_that_ended_unheard_are_taken_back_when_its_last_message_comes_again()
-> anyhow::Result<()> {
    let world = World::start().await?;
    let first = world.replica();
    let run = world.submit(&chain(1), json!({"photo": picture("root")})).await?;
    let mut worker = world.worker().await?;
    let job = worker.take().await?.job;
    world.bus.cancel(run, "changed my mind").await?;
    world.ended(run).await?;
    first.stop().await?;
    world.redis(redis::cmd("DEL").arg("{mr:q:cpu:-}:gone").to_owned()).await?;
    let queued = Event::new(
        EventType::InferenceQueued,
        Source::Orchestrator,
        job.id.to_string(),
        job.queued_at,
        Value::Null,
    );
    world.bus.enqueue(&[job], &[queued]).await?;
    world.bus.cancel(run, "changed my mind").await?;
    somebody_reads_and_dies(&world, run).await?;
    let second = world.replica_with(without_sweeper());
    eventually(DEADLINE, "all messages are dealt with", async || {
        Ok::<_, millrace_bus::BusError>((world.bus.inbox_depth().await? == 0).then_some(()))
    })
    .await?;
    assert!(worker.try_take().await?.is_none(), "nobody wants it any more");
    second.stop().await
}
