//! A run from `execute` to `completed`, and what its inbox does with messages that mean nothing.

use std::time::{Duration, SystemTime};

use anyhow::Context;
use millrace_config::Orchestrator;
use millrace_contracts::ExecutionStatus;
use millrace_contracts::values::ValueRef;
use millrace_testkit::eventually;
use serde_json::{Value, json};

use crate::support::{DEADLINE, World, chain, completed_nodes, outputs, picture, settings, without_sweeper};

#[tokio::test]
async fn a_chain_runs_to_its_end() -> anyhow::Result<()> {
    let world = World::start().await?;
    let replica = world.replica();
    let run = world.submit(&chain(3), json!({"photo": picture("root")})).await?;
    let mut worker = world.worker().await?;
    for at in 0..3 {
        let taken = worker.take().await?;
        assert_eq!(taken.job.node_id.as_str(), format!("step{at}"));
        assert_eq!(taken.job.config["width"], 8);
        worker.complete(&taken, json!({"image": picture(&format!("made{at}"))})).await?;
    }
    let log = world.ended(run).await?;
    assert_eq!(completed_nodes(&log), ["photo", "step0", "step1", "step2", "answer"]);
    assert_eq!(outputs(&log)["answer"]["last"]["blob"], picture("made2")["blob"]);
    assert_eq!(world.status(run).await?, ExecutionStatus::Completed);
    replica.stop().await
}

#[tokio::test]
async fn invariant_2_a_second_report_changes_nothing() -> anyhow::Result<()> {
    let world = World::start().await?;
    let replica = world.replica();
    let run = world.submit(&chain(2), json!({"photo": picture("root")})).await?;
    let mut worker = world.worker().await?;
    let first = worker.take().await?;
    worker.complete(&first, json!({"image": picture("one")})).await?;
    worker.complete(&first, json!({"image": picture("another")})).await?;
    let second = worker.take().await?;
    assert_eq!(second.job.inputs["image"]["blob"], picture("one")["blob"], "the first report counts");
    worker.complete(&second, json!({"image": picture("two")})).await?;
    let log = world.ended(run).await?;
    assert_eq!(completed_nodes(&log).len(), 4);
    replica.stop().await
}

#[tokio::test]
async fn an_accepted_definition_that_does_not_compile_fails_its_run() -> anyhow::Result<()> {
    let world = World::start().await?;
    let replica = world.replica();
    let nonsense = json!({"name": "x", "nodes": [{"id": "a", "type": "no_such_block"}]});
    let run = world.submit(&nonsense, json!({})).await?;
    let log = world.ended(run).await?;
    assert_eq!(world.status(run).await?, ExecutionStatus::Failed);
    let message = log[0].data["error"]["message"].as_str().unwrap_or_default();
    assert!(message.contains("no_such_block"), "{message}");
    replica.stop().await
}

#[tokio::test]
async fn a_run_whose_stored_state_cannot_be_read_any_more_fails_and_leaves_its_place() -> anyhow::Result<()> {
    let world = World::start().await?;
    let first = world.replica();
    let run = world.submit(&chain(2), json!({"photo": picture("root")})).await?;
    let mut worker = world.worker().await?;
    let taken = worker.take().await?;
    worker.complete(&taken, json!({"image": picture("made")})).await?;
    world.settled(run, &taken.job.node_id).await?;
    first.stop().await?;
    let stored = format!("{{mr:p{}}}:run:{run}", world.bus.partition_of(run));
    world.redis(redis::cmd("HSET").arg(&[&*stored, "n:step0", "{"]).to_owned()).await?;
    world.bus.cancel(run, "it does not go on").await?;

    let second = world.replica_with(without_sweeper());
    let log = world.ended(run).await?;
    assert_eq!(world.status(run).await?, ExecutionStatus::Failed);
    let last = log.last().map(|event| event.data["error"]["message"].as_str().unwrap_or_default());
    assert!(last.is_some_and(|message| message.contains("n:step0")), "{last:?}");
    eventually(DEADLINE, "its place is free", async || {
        let line = world.bus.line(9).await?;
        Ok::<_, millrace_bus::BusError>((line.running == 0).then_some(()))
    })
    .await?;
    assert!(worker.try_take().await?.is_none(), "its second job is given out no more");
    // What comes later finds a run that has ended.
    worker.say_again(&taken).await?;
    eventually(DEADLINE, "the late report is dealt with", async || {
        Ok::<_, millrace_bus::BusError>((world.bus.inbox_depth().await? == 0).then_some(()))
    })
    .await?;
    assert_eq!(world.ended(run).await?.len(), log.len());
    second.stop().await
}

#[tokio::test]
async fn invariant_7_how_far_loops_may_go_is_a_setting() -> anyhow::Result<()> {
    let world = World::start().await?;
    let definition = json!({"name": "fan out", "nodes": [
        {"id": "photos", "type": "parameter_input", "config": {"kind": "list<image>"}},
        {"id": "each", "type": "for_each", "inputs": {"items": "$inputs.photos"}},
        {"id": "step", "type": "resize", "inputs": {"image": "$nodes.each.item"}, "config": {"width": 8}},
        {"id": "all", "type": "collect", "inputs": {"item": "$nodes.step.image"}}
    ]});
    let photos = [picture("one"), picture("two"), picture("three")];
    let bounds = [
        (Orchestrator { max_items: 2, ..settings() }, "3 items in one for_each, at most 2"),
        (Orchestrator { max_node_runs: 5, ..settings() }, "node runs in one execution, at most 5"),
    ];
    for (settings, reason) in bounds {
        let replica = world.replica_with(settings);
        let run = world.submit(&definition, json!({"photos": photos})).await?;
        let log = world.ended(run).await?;
        let message = log.last().map(|event| event.data["error"]["message"].to_string()).unwrap_or_default();
        assert!(message.contains(reason), "{message}");
        replica.stop().await?;
    }
    Ok(())
}

/// A loop whose jobs all have `body` among their settings.
fn telling(body: &str) -> Value {
    json!({"name": "tell", "nodes": [
        {"id": "list", "type": "parameter_input", "config": {"kind": "list<integer>"}},
        {"id": "each", "type": "for_each", "inputs": {"items": "$inputs.list"}},
        {"id": "tell", "type": "webhook", "inputs": {"payload": "$item"},
            "config": {"url": "https://example.com/", "body": body}},
        {"id": "all", "type": "collect", "inputs": {"item": "$nodes.tell.status"}}
    ]})
}

#[tokio::test]
async fn a_large_setting_goes_once_however_many_jobs_have_it() -> anyhow::Result<()> {
    let world = World::start().await?;
    let replica = world.replica();
    let body = "x".repeat(200_000);
    let run = world.submit(&telling(&body), json!({"list": [1, 2, 3]})).await?;
    let mut worker = world.worker().await?;
    let mut bodies = Vec::new();
    for _ in 0..3 {
        let taken = worker.take_from("io").await?;
        let weight = serde_json::to_vec(&taken.job)?.len();
        assert!(weight < 4_096, "a job weighs {weight} bytes");
        assert_eq!(taken.job.config["url"], "https://example.com/");
        bodies.push(taken.job.config["body"].clone());
        worker.complete(&taken, json!({"status": 200})).await?;
    }
    assert!(bodies.iter().all(|one| *one == bodies[0]), "they are the same blob");
    assert_eq!(world.blobs.resolve(&bodies[0]).await?, json!(body));
    world.ended(run).await?;
    replica.stop().await
}

#[tokio::test]
async fn a_setting_that_the_blob_store_refuses_goes_with_each_job() -> anyhow::Result<()> {
    let world = World::start_with(|blobs| blobs.max_value_bytes = 100 << 10).await?;
    let replica = world.replica();
    let body = "x".repeat(200_000);
    let run = world.submit(&telling(&body), json!({"list": [1, 2]})).await?;
    let mut worker = world.worker().await?;
    for _ in 0..2 {
        let taken = worker.take_from("io").await?;
        assert_eq!(taken.job.config["body"], json!(body));
        worker.complete(&taken, json!({"status": 200})).await?;
    }
    world.ended(run).await?;
    assert_eq!(world.status(run).await?, ExecutionStatus::Completed);
    replica.stop().await
}

#[tokio::test]
async fn what_a_queued_job_refers_to_is_kept_as_long_as_it_waits() -> anyhow::Result<()> {
    let world = World::start().await?;
    let replica = world.replica_with(without_sweeper());
    let run = world.submit(&telling(&"x".repeat(200_000)), json!({"list": [1]})).await?;
    let mut worker = world.worker().await?;
    let taken = worker.take_from("io").await?;
    let body = ValueRef::from_value(&taken.job.config["body"]).context("the body is stored apart")?;
    let long_after = SystemTime::now() + Duration::from_secs(3_600);
    assert!(world.blobs.remove_stale(body.blob, long_after).await?);
    // Whoever stands still is woken now and then.
    world.bus.wake(run).await?;
    eventually(DEADLINE, "it is there again", async || anyhow::Ok(world.blobs.head(body.blob).await?))
        .await?;
    worker.complete(&taken, json!({"status": 200})).await?;
    world.ended(run).await?;
    replica.stop().await
}

#[tokio::test]
async fn events_of_a_run_say_what_they_are_about_and_where() -> anyhow::Result<()> {
    let world = World::start().await?;
    let replica = world.replica();
    let region = Some("north".to_owned());
    let input = json!({"photo": picture("root")});
    let run = world.submit_with(&chain(0), input, |accepted| accepted.region.clone_from(&region)).await?;
    let log = world.ended(run).await?;
    assert!(log.iter().all(|event| event.region == region));
    let subjects: Vec<_> = log.iter().map(|event| event.subject.clone().unwrap_or_default()).collect();
    assert_eq!(subjects, [run.to_string(), "photo".to_owned(), "answer".to_owned(), run.to_string()]);
    world.record(run).await?;
    assert_eq!(world.store.executions().get(run).await?.region, region);
    replica.stop().await
}

/// What its items ask of the blob store takes longer than a run is walked at a time.
#[tokio::test]
async fn a_loop_of_long_expressions_with_large_results_comes_to_its_end() -> anyhow::Result<()> {
    let world = World::start().await?;
    let replica = world.replica();
    let list: Value = (0..1_500).collect();
    let lists = world.blobs.put_value(&Value::Array(vec![list; 64])).await?;
    let definition = json!({"name": "long", "nodes": [
        {"id": "lists", "type": "parameter_input", "config": {"kind": "list<list<integer>>"}},
        {"id": "each", "type": "for_each", "inputs": {"items": "$inputs.lists"}},
        {"id": "pairs", "type": "map", "inputs": {"items": "$nodes.each.item"},
            "config": {"expr": "{\"v\": item, \"i\": index}"}},
        {"id": "all", "type": "collect", "inputs": {"item": "$nodes.pairs.items"}},
        {"id": "answer", "type": "json_output", "inputs": {"count": "$nodes.all.count"}}]});
    let run = world.submit(&definition, json!({"lists": lists.to_value()})).await?;
    let log = world.ended(run).await?;
    assert_eq!(outputs(&log)["answer"]["count"], 64);
    replica.stop().await
}
