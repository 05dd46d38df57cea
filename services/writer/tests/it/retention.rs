//! What is too old goes, whatever else fails.

use std::time::Duration;

use anyhow::Result;
use millrace_config::{Retention, Writer};
use millrace_contracts::schedule::ScheduleSpec;
use millrace_contracts::{BlobId, ScheduleId, WorkflowId};
use millrace_store::{Definition, ExecutionFilter, NewSchedule, NewWorkflow, ScheduleLimits, StoreError};
use millrace_testkit::eventually;
use serde_json::json;
use sqlx::postgres::PgPool;

use crate::support::{DEADLINE, Fixture, settings};

#[tokio::test(flavor = "multi_thread")]
async fn what_is_older_than_the_retention_is_deleted() -> Result<()> {
    let fixture = Fixture::start().await?;
    let writer = fixture.writer(settings());
    let runs = fixture.tell_runs(12).await?;
    fixture.await_recorded(&runs).await?;
    writer.stop().await?;

    // A clock that is a moment ahead of the runs is as good as one a month ahead.
    let retention = Retention { executions: Duration::from_millis(1), step: 5, ..Retention::default() };
    let mut settings = settings();
    settings.upkeep_interval = Duration::from_millis(50);
    let writer = fixture.writer_that_keeps(settings, retention);
    eventually(DEADLINE, "the runs are deleted", async || {
        let left = fixture.store.executions().list(&ExecutionFilter::default(), None, 100).await?;
        anyhow::Ok(left.is_empty().then_some(()))
    })
    .await?;
    assert!(matches!(fixture.store.executions().get(runs[0]).await, Err(StoreError::NotFound(_))));
    writer.stop().await
}

/// A step of more than two runs takes this database too long, and it does not know how to make partitions.
const TROUBLES: &str = "
    create function is_slow() returns trigger language plpgsql as $$ begin
        if (select count(*) from gone) > 2 then
            raise exception 'canceling statement due to statement timeout' using errcode = '57014';
        end if;
        return null;
    end $$;
    create trigger is_slow after delete on wf_executions referencing old table as gone
        for each statement execute function is_slow();
    drop function wf_events_ensure_partitions;
    insert into wf_definitions (sha256, definition, used_at)
        select sha256(n::text::bytea), '{}', now() - interval '1 day' from generate_series(1, 25) n";

#[tokio::test(flavor = "multi_thread")]
async fn neither_a_slow_step_nor_a_part_that_fails_keeps_the_rest_from_going() -> Result<()> {
    let fixture = Fixture::start().await?;
    let writer = fixture.writer(settings());
    let runs = fixture.tell_runs(12).await?;
    fixture.await_recorded(&runs).await?;
    writer.stop().await?;
    let raw = PgPool::connect(&fixture.postgres.url()).await?;
    sqlx::raw_sql(TROUBLES).execute(&raw).await?;

    let retention = Retention { executions: Duration::from_millis(1), step: 10, ..Retention::default() };
    let settings = Writer { upkeep_interval: Duration::from_secs(3_600), ..settings() };
    let writer = fixture.writer_that_keeps(settings, retention);
    eventually(DEADLINE, "all runs and definitions are deleted", async || {
        let left: i64 = sqlx::query_scalar(
            "select (select count(*) from wf_executions) + (select count(*) from wf_definitions)",
        )
        .fetch_one(&raw)
        .await?;
        anyhow::Ok((left == 0).then_some(()))
    })
    .await?;
    writer.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn schedules_that_were_deleted_long_ago_go_too() -> Result<()> {
    let fixture = Fixture::start().await?;
    let raw = PgPool::connect(&fixture.postgres.url()).await?;
    let (workflow, definition) = (WorkflowId::generate(), json!({"nodes": []}));
    let definition = Definition { id: BlobId::of(b"x"), json: definition };
    let new = NewWorkflow { name: "scheduled".to_owned(), definition };
    fixture.store.workflows().create(workflow, &new).await?;
    let spec: ScheduleSpec = serde_json::from_value(json!({
        "cron": "0 * * * *", "timezone": "UTC", "overlap": "skip", "version": null, "checked_version": 1, "input": {},
        "priority": "normal", "pool": null, "labels": {}, "timeout_ms": null, "callback_url": null, "jitter_ms": 0
    }))?;
    let (kept, deleted) = (ScheduleId::generate(), ScheduleId::generate());
    let limits = ScheduleLimits { per_workflow: 10, total: 10 };
    for id in [kept, deleted] {
        let new = NewSchedule { spec: spec.clone(), enabled: false, next_at: None };
        fixture.store.schedules().create(id, workflow, &new, limits).await?;
    }
    fixture.store.schedules().delete(deleted, None).await?;

    let retention = Retention { executions: Duration::from_millis(1), ..Retention::default() };
    let settings = Writer { upkeep_interval: Duration::from_millis(50), ..settings() };
    let writer = fixture.writer_that_keeps(settings, retention);
    eventually(DEADLINE, "the deleted schedule is gone", async || {
        let left: Vec<uuid::Uuid> = sqlx::query_scalar("select id from wf_schedules").fetch_all(&raw).await?;
        anyhow::Ok((left == [kept.0]).then_some(()))
    })
    .await?;
    writer.stop().await
}
