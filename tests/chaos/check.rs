//! What must be true afterwards, asked of the record and of the event streams.

use anyhow::Context;
use sqlx::PgPool;

use crate::client::Client;
use crate::events::{check_gapless, durable};

/// A connection to the record.
pub(crate) async fn record(url: &str) -> anyhow::Result<PgPool> {
    PgPool::connect(url).await.context("the test's own connection to Postgres")
}

/// All runs completed, but for those that were begun while their commit was under way and taken back when it failed; in its last
/// epoch each node run has exactly one terminal event and `seq` has no gap.
pub(crate) async fn all_is_well(record: &PgPool) -> anyhow::Result<()> {
    let others: Vec<(String, String)> = sqlx::query_as(
        "select id::text, status || ': ' || coalesce(error_message, '') from wf_executions
        where status <> 'completed' and (status, error_message) is distinct from ('cancelled', 'not accepted')",
    )
    .fetch_all(record)
    .await?;
    anyhow::ensure!(others.is_empty(), "runs that did not complete: {others:#?}");
    let twice: Vec<(String, String, i64)> = sqlx::query_as(
        "select event.execution_id::text, event.node_id || coalesce(event.path, ''), count(*)
        from wf_events event join wf_executions run on run.id = event.execution_id and run.epoch = event.epoch
        where event.type = any($1) group by 1, 2 having count(*) <> 1",
    )
    .bind(terminal_types())
    .fetch_all(record)
    .await?;
    anyhow::ensure!(twice.is_empty(), "node runs with more than one end: {twice:#?}");
    let endless: Vec<(String, String)> = sqlx::query_as(
        "select node.execution_id::text, node.node_id || node.path from wf_node_runs node
        join wf_executions run on run.id = node.execution_id
        where not exists (select from wf_events event where event.execution_id = node.execution_id
            and event.epoch = run.epoch and event.node_id = node.node_id and coalesce(event.path, '') = node.path
            and event.type = any($1))",
    )
    .bind(terminal_types())
    .fetch_all(record)
    .await?;
    anyhow::ensure!(endless.is_empty(), "node runs without an end: {endless:#?}");
    let gaps: Vec<(String, i64, i64)> = sqlx::query_as(
        "select event.execution_id::text, max(seq), count(*)
        from wf_events event join wf_executions run on run.id = event.execution_id and run.epoch = event.epoch
        group by 1 having max(seq) <> count(*) or min(seq) <> 1",
    )
    .fetch_all(record)
    .await?;
    anyhow::ensure!(gaps.is_empty(), "logs with gaps: {gaps:#?}");
    let dead: i64 = sqlx::query_scalar("select count(*) from wf_dead_letters").fetch_one(record).await?;
    anyhow::ensure!(dead == 0, "{dead} dead letters");
    Ok(())
}

fn terminal_types() -> Vec<String> {
    ["completed", "failed", "skipped", "cancelled"]
        .into_iter()
        .flat_map(|end| [format!("workflow:node:{end}"), format!("millrace.workflow.node.{end}")])
        .collect()
}

/// The streams of `runs` say the same as the record: without gaps, one end per node run.
pub(crate) async fn streams_are_well(client: &Client, runs: &[String]) -> anyhow::Result<()> {
    for run in runs {
        let events = client.follow(run, "?from=0").await?;
        check_gapless(&events, 1).with_context(|| format!("run {run}"))?;
        let mut ends: Vec<String> = durable(&events)
            .into_iter()
            .filter(|event| matches!(event.name.as_str(), "node.completed" | "node.failed" | "node.skipped"))
            .map(|event| format!("{}{}", event.data["nodeid"], event.data["path"]))
            .collect();
        let count = ends.len();
        ends.sort();
        ends.dedup();
        anyhow::ensure!(count > 0 && ends.len() == count, "run {run}: a node run ends twice in its stream");
    }
    Ok(())
}
