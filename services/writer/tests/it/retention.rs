//! What is too old goes, whatever else fails.

use std::time::Duration;

use anyhow::Result;
use millrace_config::{Retention, Writer};
use millrace_store::{ExecutionFilter, StoreError};
use millrace_testkit::eventually;
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
