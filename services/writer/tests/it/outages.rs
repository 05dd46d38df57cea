use anyhow::{Context, Result};

use crate::support::{Fixture, settings};

#[tokio::test(flavor = "multi_thread")]
async fn postgres_may_be_away_and_every_event_is_recorded_once() -> Result<()> {
    let mut fixture = Fixture::start().await?;
    let writer = fixture.writer(settings());
    let mut runs = fixture.tell_runs(60).await?;
    fixture.await_recorded(&runs[..10]).await?;
    for _ in 0..2 {
        fixture.postgres.server().context("the server is shared")?.kill().await;
        runs.extend(fixture.tell_runs(200).await?);
        let waiting = fixture.bus.recorder_lag().await?.entries;
        assert!(waiting >= 200, "the events wait in Redis, and {waiting} do");
        fixture.postgres.server().context("the server is shared")?.restart().await?;
        runs.extend(fixture.tell_runs(60).await?);
    }
    fixture.await_recorded(&runs).await?;
    fixture.await_drained().await?;
    writer.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_writer_without_postgres_stops_in_order_and_leaves_the_events() -> Result<()> {
    let mut fixture = Fixture::start().await?;
    fixture.postgres.server().context("the server is shared")?.kill().await;
    let writer = fixture.writer(settings());
    let runs = fixture.tell_runs(20).await?;
    writer.stop().await?;
    fixture.postgres.server().context("the server is shared")?.restart().await?;
    let heir = fixture.writer(settings());
    fixture.await_recorded(&runs).await?;
    fixture.await_drained().await?;
    heir.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn redis_may_restart() -> Result<()> {
    let mut fixture = Fixture::start().await?;
    let writer = fixture.writer(settings());
    let runs = fixture.tell_runs(30).await?;
    fixture.await_recorded(&runs).await?;
    fixture.redis.server().restart().await?;
    let later = fixture.tell_runs(30).await?;
    fixture.await_recorded(&later).await?;
    fixture.await_drained().await?;
    writer.stop().await
}
