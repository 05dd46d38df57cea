use std::time::Duration;

use anyhow::Result;
use millrace_config::Retention;
use millrace_store::{ExecutionFilter, StoreError};
use millrace_testkit::eventually;

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
