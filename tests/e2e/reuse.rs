//! What was done once for the same content is not done again: through the real worker and the real model.

use std::collections::BTreeMap;

use anyhow::Context;
use millrace_testkit::eventually;
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};
use uuid::Uuid;

use crate::support::client::RUN_DEADLINE;
use crate::support::scenes::{demo_workflow, image_input, scene};
use crate::support::{Client, Stack};

/// Worker's nodes of a run: whether the result was found, and where it comes from.
async fn reused(client: &Client, run: &str) -> anyhow::Result<BTreeMap<String, (bool, Value)>> {
    client.ended(run).await?;
    let nodes = client.get_json(&format!("/executions/{run}/nodes")).await?;
    let of_workers = nodes["nodes"].as_array().context("nodes")?.iter();
    Ok(of_workers
        .filter(|node| node["metrics"].is_object())
        .map(|node| {
            let found = node["metrics"]["cached"] == true;
            (node["node_id"].as_str().unwrap_or_default().to_owned(), (found, node["origin"].clone()))
        })
        .collect())
}

#[tokio::test]
async fn the_second_run_of_a_picture_finds_all_results_of_the_first() -> anyhow::Result<()> {
    let stack = Stack::start().await?;
    let client = stack.client();
    let mut workflow = demo_workflow()?;
    let name = image_input(&workflow)?.to_owned();
    let (blob, other) = (client.upload(scene(2)?).await?, client.upload(scene(3)?).await?);
    let input = |blob: &str| json!({&name: format!("blob:{blob}")});

    let first = client.run_unsaved(&workflow, input(&blob)).await?;
    let made = reused(&client, &first).await?;
    assert!(made.len() >= 2 && made.values().all(|(found, _)| !found), "{made:?}");
    // Results are kept a moment after the run ends, and the fleet's models are known within seconds.
    let second = eventually(RUN_DEADLINE, "a run that finds everything", async || {
        let run = client.run_unsaved(&workflow, input(&blob)).await?;
        let found = reused(&client, &run).await?;
        anyhow::Ok(found.values().all(|(found, origin)| *found && origin.is_string()).then_some(run))
    })
    .await?;
    let [first_end, second_end] = [client.ended(&first).await?, client.ended(&second).await?];
    assert_eq!(first_end["outputs"], second_end["outputs"], "found or made, it is the same result");

    let another = client.run_unsaved(&workflow, input(&other)).await?;
    assert!(reused(&client, &another).await?.values().all(|(found, _)| !found), "another picture");
    for node in workflow["nodes"].as_array_mut().context("nodes")? {
        node["cache"] = json!("off");
    }
    let off = client.run_unsaved(&workflow, input(&blob)).await?;
    assert!(reused(&client, &off).await?.values().all(|(found, _)| !found), "cache: off");

    let mut postgres = PgConnection::connect(&stack.servers.postgres.url()).await?;
    let rows = "select count(*) from wf_inference_jobs where execution_id = $1 and status = 'completed'
        and metadata->>'cached' = 'true' and duration_ms = 0 and worker_id is null";
    let id: Uuid = second.parse()?;
    eventually(RUN_DEADLINE, "the hits are recorded as jobs", async || {
        let count: i64 = sqlx::query_scalar(rows).bind(id).fetch_one(&mut postgres).await?;
        Ok::<_, sqlx::Error>((count == made.len() as i64).then_some(()))
    })
    .await
}
