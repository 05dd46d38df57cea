//! Invariants 1 to 3 under load: 100 runs at once, each watched, each recorded.

use std::time::Duration;

use anyhow::Context;
use futures::future::try_join_all;
use millrace_testkit::eventually;
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection, Row};
use uuid::Uuid;

use crate::support::events::{check_gapless, durable};
use crate::support::scenes::{demo_workflow, image_input, scene};
use crate::support::{Client, Stack};

const RUNS: usize = 100;
const RECORD_DEADLINE: Duration = Duration::from_secs(30);

#[tokio::test]
async fn a_hundred_runs_complete_and_postgres_holds_what_the_clients_saw() -> anyhow::Result<()> {
    let stack = Stack::start().await?;
    let client = stack.client();
    let mut workflow = demo_workflow()?;
    // Every run does its work: it is the load.
    for node in workflow["nodes"].as_array_mut().context("a workflow has nodes")? {
        node["cache"] = json!("off");
    }
    let name = image_input(&workflow)?.to_owned();
    let id = client.save(&workflow).await?;
    let blob = client.upload(scene(2)?).await?;

    let one = |number: usize| {
        let (client, id, name, blob) = (client.clone(), id.clone(), name.clone(), blob.clone());
        async move {
            let run = client.run(&id, json!({&name: format!("blob:{blob}")})).await?;
            // Every other client asks for all from the start; the rest begin with a snapshot.
            let query = if number.is_multiple_of(2) { "?from=0" } else { "" };
            let seen = client.follow(&run, query).await.with_context(|| format!("run {number}"))?;
            anyhow::Ok((run, seen))
        }
    };
    let runs = try_join_all((0..RUNS).map(one)).await?;
    for (run, seen) in &runs {
        let first = match seen.first().filter(|event| event.name == "snapshot") {
            Some(snapshot) => snapshot.data["seq"].as_u64().context("a snapshot has a seq")? + 1,
            None => 1,
        };
        if durable(seen).is_empty() {
            assert_eq!(seen[0].data["status"], "completed", "{run}: a snapshot without events is of the end");
        } else {
            check_gapless(seen, first).with_context(|| run.clone())?;
        }
        check_record(&client, &stack, run).await?;
    }
    Ok(())
}

/// Postgres ends up with exactly the events of the log, in order, and with the run's final row.
async fn check_record(client: &Client, stack: &Stack, run: &str) -> anyhow::Result<()> {
    let replayed = client.follow(run, "?from=0").await?;
    let last = check_gapless(&replayed, 1)?;
    let id: Uuid = run.parse()?;
    let mut postgres = PgConnection::connect(&stack.servers.postgres.url()).await?;
    let rows = eventually(RECORD_DEADLINE, "the writer has written all events", async || {
        let query = "select seq, id, data from wf_events where execution_id = $1 order by epoch, seq";
        let rows = sqlx::query(query).bind(id).fetch_all(&mut postgres).await?;
        Ok::<_, sqlx::Error>((rows.len() as u64 >= last).then_some(rows))
    })
    .await?;
    let events = durable(&replayed);
    assert_eq!(rows.len(), events.len());
    for (row, event) in rows.iter().zip(events) {
        assert_eq!(row.get::<i64, _>("seq"), event.data["seq"].as_i64().unwrap_or_default());
        assert_eq!(row.get::<String, _>("id"), event.data["id"].as_str().unwrap_or_default());
        assert_eq!(row.get::<Value, _>("data"), event.data["data"]);
    }
    let status: String = sqlx::query_scalar("select status::text from wf_executions where id = $1")
        .bind(id)
        .fetch_one(&mut postgres)
        .await?;
    assert_eq!(status, "completed");
    Ok(())
}
