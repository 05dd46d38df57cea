//! A run from `execute` to `completed`, and what its inbox does with messages that mean nothing.

use millrace_contracts::ExecutionStatus;
use serde_json::json;

use crate::support::{World, chain, completed_nodes, outputs, picture};

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
