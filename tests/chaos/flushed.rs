//! Invariant 5: Redis may be lost whole, in the middle of everything.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use millrace_testkit::eventually;
use serde_json::json;
use sqlx::PgPool;

use crate::load::{Pictures, all_ended, busy, submit};
use crate::roles::Site;
use crate::{check, size};

/// A completed job as it was recorded: who did it, and when.
type Done = HashMap<(String, String), (Option<String>, Option<String>)>;

async fn done(record: &PgPool) -> anyhow::Result<Done> {
    let rows: Vec<(String, String, Option<String>, Option<String>)> = sqlx::query_as(
        "select execution_id::text, node_id || path, started_at::text, completed_at::text from wf_node_runs
        where status = 'completed' and queued_at is not null",
    )
    .fetch_all(record)
    .await?;
    Ok(rows.into_iter().map(|(run, node, started, ended)| ((run, node), (started, ended))).collect())
}

#[tokio::test]
async fn flushall_loses_no_run_and_repeats_nothing_that_was_recorded() -> anyhow::Result<()> {
    let runs = size(100, 1_000);
    let site = Site::start().await?;
    let _roles = [site.api()?, site.orchestrator()?, site.writer()?, site.worker()?];
    let (client, record) = (site.client().await?, check::record(&site.postgres.url()).await?);
    let pictures = Pictures::upload(&client).await?;
    let workflow = client.save(&busy()).await?;
    let input =
        |number: usize| json!({"photo": pictures.sound, "broken_photo": pictures.broken, "n": number});
    let submitted = submit(&client, &workflow, runs, input).await?;
    let before = eventually(Duration::from_secs(60), "some work is recorded", async || {
        let done = done(&record).await?;
        anyhow::Ok(Some(done).filter(|done| done.len() >= runs / 2))
    })
    .await?;
    site.redis.flush().await?;
    let flushed = Instant::now();
    all_ended(&record, runs, Duration::from_secs(60 + runs as u64 / 4)).await?;
    let restarted: i64 =
        sqlx::query_scalar("select count(*) from wf_executions where epoch > 1").fetch_one(&record).await?;
    eprintln!(
        "{runs} runs, {} jobs recorded before FLUSHALL, {restarted} runs started again, all ended {:.1?} after it",
        before.len(),
        flushed.elapsed()
    );
    assert!(restarted > 0, "Redis was emptied after everything had ended: the test shows nothing");
    check::all_is_well(&record).await?;
    let after = done(&record).await?;
    let again: Vec<_> = before.iter().filter(|(place, times)| after.get(*place) != Some(*times)).collect();
    assert!(again.is_empty(), "recorded as done and done again: {again:#?}");
    let sample: Vec<String> = submitted.into_iter().step_by(10).collect();
    check::streams_are_well(&client, &sample).await
}
