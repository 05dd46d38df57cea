//! A batch does not hold up a lone run of another workflow. Order alone is looked at, no time.

use anyhow::Context;
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::Stack;
use crate::support::client::expect;
use crate::support::scenes::{demo_workflow, image_input, scene};

/// More than may be under way at once, so that some stand in line.
const RUNS: u64 = 400;

#[tokio::test]
async fn a_lone_run_completes_while_most_of_a_batch_waits() -> anyhow::Result<()> {
    let stack = Stack::start().await?;
    let client = stack.client();
    let demo = demo_workflow()?;
    let name = image_input(&demo)?.to_owned();
    let lone = client.save(&demo).await?;
    let batch = client.save(&thumbnails()).await?;
    let photo = format!("blob:{}", client.upload(scene(3)?).await?);
    // The model is there before the batch comes, so that the batch is what everything waits for.
    let warm = client.run(&lone, json!({&name: &photo})).await?;
    assert_eq!(client.ended(&warm).await?["status"], "completed");

    let inputs: Vec<_> = (0..RUNS).map(|_| json!({"photo": &photo})).collect();
    let answer = client.post(&format!("/workflows/{batch}/run-batch"), &json!({"inputs": inputs})).await?;
    let accepted = expect(answer, StatusCode::ACCEPTED).await?;
    let last = accepted["execution_ids"][RUNS as usize - 1].as_str().context("a batch has runs")?.to_owned();
    let line = client.get_json("/queues").await?["admission"].clone();
    let of_batch =
        line["flows"].as_array().and_then(|flows| flows.iter().find(|flow| flow["flow"] == batch.as_str()));
    let of_batch = of_batch.with_context(|| format!("the batch is in line: {line}"))?;
    assert!(of_batch["waiting"].as_u64() > Some(0) && line["oldest_ms"].is_u64(), "{line}");
    let place = client.get_json(&format!("/executions/{last}")).await?;
    assert!(place["queue"]["position"].as_u64() > Some(1), "the last run knows its place: {place}");

    let run = client.run(&lone, json!({&name: &photo})).await?;
    assert_eq!(client.ended(&run).await?["status"], "completed");
    let line = client.get_json("/queues").await?["admission"].clone();
    let open =
        line["waiting"].as_u64().zip(line["running"].as_u64()).map(|(waiting, running)| waiting + running);
    assert!(open > Some(RUNS / 2), "most of the batch is not done when the lone run is: {line}");
    Ok(())
}

fn thumbnails() -> Value {
    json!({"name": "thumbnails", "nodes": [
        {"id": "photo", "type": "image_input"},
        {"id": "small", "type": "resize@1", "inputs": {"image": "$inputs.photo"}, "config": {"width": 160}, "cache": "off"},
        {"id": "look", "type": "detection@1", "inputs": {"image": "$nodes.small.image"}, "config": {"model_id": "shapes-detector"}, "cache": "off"},
        {"id": "answer", "type": "json_output", "inputs": {"count": "$nodes.look.count"}},
    ]})
}
