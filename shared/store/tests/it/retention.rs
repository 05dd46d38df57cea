//! Old runs go and running ones stay; the clock is the caller's.

use anyhow::Result;
use millrace_contracts::UnixMillis;
use serde_json::json;

use crate::story::Story;
use crate::support::Fixture;

const DAY_MS: i64 = 86_400_000;

#[tokio::test]
async fn old_runs_are_deleted_in_steps_and_running_ones_never() -> Result<()> {
    let fixture = Fixture::start().await?;
    let executions = fixture.store.executions();
    let mut open = Story::new();
    open.execute().started().queued("detect", 1);
    let ended: Vec<Story> = (0..7).map(|_| Story::completed()).collect();
    let all: Vec<_> =
        ended.iter().flat_map(|story| story.events.clone()).chain(open.events.clone()).collect();
    fixture.record(&all).await?;
    let now = UnixMillis::now();
    assert_eq!(executions.oldest_unfinished().await?, Some(open.accepted.created_at));
    assert_eq!(executions.expire(UnixMillis(now.0 - DAY_MS), 100).await?, 0, "nothing is that old");

    // Forty days later.
    let before = UnixMillis(now.0 + 40 * DAY_MS);
    let steps = [
        executions.expire(before, 5).await?,
        executions.expire(before, 5).await?,
        executions.expire(before, 5).await?,
    ];
    assert_eq!(steps, [5, 2, 0]);
    for (table, left) in
        [("wf_executions", 1), ("wf_events", 1), ("wf_node_runs", 0), ("wf_inference_jobs", 1)]
    {
        assert_eq!(fixture.count(&format!("select count(*) from {table}")).await?, left, "{table}");
    }
    // It ends in its own time, and then it may go.
    open.detected("detect", 1).ended("completed", &json!({}));
    fixture.record(&open.events).await?;
    assert_eq!(executions.oldest_unfinished().await?, None);
    assert_eq!(executions.expire(before, 5).await?, 1);
    assert_eq!(fixture.count("select count(*) from wf_events").await?, 0);
    Ok(())
}

#[tokio::test]
async fn tombstones_and_rows_without_a_command_go_too() -> Result<()> {
    let fixture = Fixture::start().await?;
    let executions = fixture.store.executions();
    let (deleted, mut bare) = (Story::completed(), Story::new());
    fixture.record(&deleted.events).await?;
    executions.delete(deleted.run).await?;
    // Its beginning was never said.
    bare.queued("detect", 1);
    fixture.record(&bare.events).await?;
    assert_eq!(fixture.count("select count(*) from wf_executions").await?, 2);
    let now = UnixMillis::now();
    assert_eq!(executions.expire(UnixMillis(now.0 - DAY_MS), 10).await?, 0);
    assert_eq!(executions.expire(UnixMillis(now.0 + DAY_MS), 10).await?, 2);
    Ok(())
}
