//! A schedule goes on by the clock whatever happens to the processes: after kill -9 of everything, and after FLUSHALL.

use std::time::Duration;

use millrace_testkit::eventually;
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::client::expect;
use crate::support::{Client, Stack};

/// Every second, or as soon as the reconciler finds out.
const PATIENCE: Duration = Duration::from_secs(40);

/// Waits for `more` runs beyond those in `known`; all runs there are then.
async fn runs_beyond(client: &Client, workflow: &str, known: usize, more: usize) -> anyhow::Result<usize> {
    eventually(PATIENCE, "the schedule starts runs", async || {
        let path = format!("/executions?workflow_id={workflow}&status=completed&limit=200");
        let found = client.get_json(&path).await?;
        let runs = found["executions"].as_array().or(found["items"].as_array()).map_or(0, Vec::len);
        anyhow::Ok(Some(runs).filter(|runs| *runs >= known + more))
    })
    .await
}

#[tokio::test]
async fn a_schedule_survives_the_restart_of_everything() -> anyhow::Result<()> {
    let stack = Stack::start().await?;
    let client = stack.client();
    let definition = json!({"name": "tick", "nodes": [
        {"id": "n", "type": "parameter_input", "config": {"kind": "integer", "default": 1}},
        {"id": "answer", "type": "json_output", "inputs": {"n": "$inputs.n"}},
    ]});
    let workflow = client.save(&definition).await?;
    let body = json!({"cron": "* * * * * *", "timezone": "Europe/Berlin", "overlap": "skip"});
    let answer = client.post(&format!("/workflows/{workflow}/schedules"), &body).await?;
    let schedule = expect(answer, StatusCode::CREATED).await?;
    let known = runs_beyond(&client, &workflow, 0, 2).await?;

    let stack = Stack::on(stack.kill()?)?;
    let client = stack.client();
    let known = runs_beyond(&client, &workflow, known, 2).await?;

    stack.servers.redis.flush().await?;
    let stack = Stack::on(stack.kill()?)?;
    let client = stack.client();
    runs_beyond(&client, &workflow, known, 2).await?;

    let shown: Value =
        client.get_json(&format!("/schedules/{}", schedule["id"].as_str().unwrap_or_default())).await?;
    assert_eq!(shown["last"]["outcome"], "started", "{shown}");
    assert!(shown["next_at"].is_i64() && shown["last_run"]["execution_id"].is_string(), "{shown}");
    Ok(())
}
