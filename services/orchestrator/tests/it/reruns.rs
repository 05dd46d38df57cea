//! A rerun takes over what the run it repeats has done: from its live state, from the record, and after a loss from both.

use millrace_config::Orchestrator;
use millrace_contracts::message::RerunOf;
use millrace_contracts::{ExecutionId, ExecutionStatus};
use serde_json::{Value, json};

use crate::support::{HandWorker, World, chain, completed_nodes, nowhere, outputs, picture, settings};

fn given() -> Value {
    json!({"photo": picture("root")})
}

/// Runs a chain of three to its end.
async fn earlier(world: &World, worker: &mut HandWorker) -> anyhow::Result<ExecutionId> {
    let run = world.submit(&chain(3), given()).await?;
    for at in 0..3 {
        let taken = worker.take().await?;
        worker.complete(&taken, json!({"image": picture(&format!("made{at}"))})).await?;
    }
    world.ended(run).await?;
    Ok(run)
}

async fn rerun(world: &World, of: ExecutionId, from: Option<&str>) -> anyhow::Result<ExecutionId> {
    let rerun_of = RerunOf { execution_id: of, from: from.map(Into::into) };
    world.submit_as(&chain(3), given(), Some(rerun_of)).await
}

#[tokio::test]
async fn a_run_that_has_just_ended_is_taken_over_though_nothing_of_it_is_recorded() -> anyhow::Result<()> {
    let world = World::start().await?;
    let replica = world.replica();
    let mut worker = world.worker().await?;
    let first = earlier(&world, &mut worker).await?;
    assert!(world.store.node_runs().history(first).await?.is_empty(), "no writer runs here");
    let second = rerun(&world, first, Some("step2")).await?;
    let taken = worker.take().await?;
    assert_eq!((taken.job.execution_id, taken.job.node_id.as_str()), (second, "step2"));
    assert_eq!(taken.job.inputs["image"]["blob"], picture("made1")["blob"]);
    worker.complete(&taken, json!({"image": picture("anew")})).await?;
    let log = world.ended(second).await?;
    assert_eq!(completed_nodes(&log), ["photo", "step0", "step1", "step2", "answer"]);
    assert_eq!(outputs(&log)["answer"]["last"]["blob"], picture("anew")["blob"]);
    let origins = log.iter().filter_map(|event| event.data["origin"].as_str()).collect::<Vec<_>>();
    assert_eq!(origins, [first.to_string(), first.to_string()]);
    // Without a node to begin at, all is done again.
    let third = rerun(&world, first, None).await?;
    let taken = worker.take().await?;
    assert_eq!((taken.job.execution_id, taken.job.node_id.as_str()), (third, "step0"));
    replica.stop().await
}

#[tokio::test]
async fn a_rerun_that_is_lost_takes_over_from_both_records() -> anyhow::Result<()> {
    let world = World::start().await?;
    let replica = world.replica();
    let mut worker = world.worker().await?;
    let first = earlier(&world, &mut worker).await?;
    world.record(first).await?;
    let second = rerun(&world, first, Some("step1")).await?;
    let taken = worker.take().await?;
    assert_eq!(taken.job.node_id.as_str(), "step1");
    worker.complete(&taken, json!({"image": picture("anew1")})).await?;
    let lost = worker.take().await?;
    assert_eq!(lost.job.node_id.as_str(), "step2");
    world.record(second).await?;
    world.redis.flush().await?;
    let again = worker.take().await?;
    assert_eq!((again.job.execution_id, again.job.node_id.as_str()), (second, "step2"));
    assert_eq!(again.job.inputs["image"]["blob"], picture("anew1")["blob"], "its own results go first");
    worker.complete(&again, json!({"image": picture("anew2")})).await?;
    let log = world.ended(second).await?;
    assert!(log.iter().all(|event| event.epoch == Some(2)));
    let origins = log.iter().filter(|event| event.data["origin"].is_string());
    let origins = origins.filter_map(|event| event.node_id.as_ref()).map(|id| id.as_str());
    assert_eq!(origins.collect::<Vec<_>>(), ["step0"], "what it made itself has no other origin");
    replica.stop().await
}

#[tokio::test]
async fn a_rerun_that_has_to_wait_for_postgres_waits_alone() -> anyhow::Result<()> {
    let world = World::start().await?;
    let replica = world.replica();
    let mut worker = world.worker().await?;
    let first = earlier(&world, &mut worker).await?;
    world.record(first).await?;
    world.bus.forget(first).await?;
    replica.stop().await?;

    let cut_off = world.replica_on(nowhere()?, Orchestrator { lanes: 1, ..settings() });
    let waits = rerun(&world, first, Some("step2")).await?;
    let goes_on = world.submit(&chain(1), given()).await?;
    let taken = worker.take().await?;
    assert_eq!(taken.job.execution_id, goes_on);
    worker.complete(&taken, json!({"image": picture("made")})).await?;
    world.ended(goes_on).await?;
    assert!(world.bus.load_run(waits).await?.is_none(), "it has not begun");
    cut_off.stop().await?;

    let replica = world.replica();
    let taken = worker.take().await?;
    assert_eq!((taken.job.execution_id, taken.job.node_id.as_str()), (waits, "step2"));
    replica.stop().await
}

#[tokio::test]
async fn a_rerun_of_what_is_gone_for_good_fails_and_says_so() -> anyhow::Result<()> {
    let world = World::start().await?;
    let replica = world.replica();
    let mut worker = world.worker().await?;
    let first = world.submit(&chain(1), given()).await?;
    let taken = worker.take().await?;
    // Outputs that outgrew an event are recorded as one reference.
    let outgrown = millrace_contracts::values::ValueRef {
        blob: millrace_contracts::BlobId::of(b"deleted since"),
        bytes: 100_000,
    };
    worker.complete(&taken, json!({"image": picture("made")})).await?;
    let mut log = world.ended(first).await?;
    for event in log.iter_mut().filter(|event| event.data.get("outputs").is_some_and(Value::is_object)) {
        event.data["outputs"] = outgrown.to_value();
    }
    world.store.record(&millrace_store::RecordBatch { events: log }).await?;
    world.bus.forget(first).await?;
    let definition = chain(1);
    let rerun_of = RerunOf { execution_id: first, from: Some("answer".into()) };
    let run = world.submit_as(&definition, given(), Some(rerun_of)).await?;
    let log = world.ended(run).await?;
    assert_eq!(world.status(run).await?, ExecutionStatus::Failed);
    let message = log[0].data["error"]["message"].as_str().unwrap_or_default();
    assert!(message.contains("there is no blob"), "{message}");
    replica.stop().await
}
