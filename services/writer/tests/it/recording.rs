use std::time::Instant;

use anyhow::Result;
use millrace_config::Writer;
use millrace_contracts::UnixMillis;
use millrace_testkit::eventually;

use crate::support::{DEADLINE, EVENTS_PER_RUN, Fixture, settings};

#[tokio::test(flavor = "multi_thread")]
async fn every_event_is_recorded_once_and_acknowledged() -> Result<()> {
    let fixture = Fixture::start().await?;
    let before = fixture.tell_runs(150).await?;
    let writer = fixture.writer(settings());
    let after = fixture.tell_runs(150).await?;
    fixture.await_recorded(&before).await?;
    fixture.await_recorded(&after).await?;
    fixture.await_drained().await?;
    writer.stop().await
}

/// A read costs Redis as much as several events do. Bound by the time it takes, so that a slow machine does not matter.
#[tokio::test(flavor = "multi_thread")]
async fn events_that_come_one_by_one_are_read_together() -> Result<()> {
    let fixture = Fixture::start().await?;
    let reads = async || -> Result<u64> {
        let counters = fixture.bus.server_counters().await?;
        Ok(counters.commands.get("xreadgroup").map_or(0, |count| count.calls))
    };
    let writer = fixture.writer(Writer { lanes: 1, ..settings() });
    fixture.await_recorded(&fixture.tell_runs(1).await?).await?;
    let (before, begun) = (reads().await?, Instant::now());
    for _ in 0..300 {
        fixture.tell_runs(1).await?;
    }
    fixture.await_drained().await?;
    let (reads, took) = (reads().await? - before, begun.elapsed().as_millis());
    // One every 20 ms, those that wait for a batch's first event, and some at the edges.
    assert!(u128::from(reads) <= took / 20 + took / 100 + 10, "{reads} reads in {took} ms");
    writer.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn several_writers_share_the_work() -> Result<()> {
    let fixture = Fixture::start().await?;
    let writers: Vec<_> = (0..3).map(|_| fixture.writer(settings())).collect();
    let runs = fixture.tell_runs(200).await?;
    fixture.await_recorded(&runs).await?;
    fixture.await_drained().await?;
    for writer in writers {
        writer.stop().await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_dead_writer_held_is_taken_over() -> Result<()> {
    let fixture = Fixture::start().await?;
    let runs = fixture.tell_runs(40).await?;
    let mut doomed = fixture.bus.recorder("doomed").await?;
    let mut held = 0;
    while held < runs.len() * EVENTS_PER_RUN {
        held += doomed.read(1000, DEADLINE).await?.len();
    }
    drop(doomed);
    let writer = fixture.writer(settings());
    fixture.await_recorded(&runs).await?;
    fixture.await_drained().await?;
    writer.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn stopping_in_the_middle_loses_nothing() -> Result<()> {
    let fixture = Fixture::start().await?;
    let mut runs = Vec::new();
    for _ in 0..4 {
        let writer = fixture.writer(settings());
        runs.extend(fixture.tell_runs(60).await?);
        writer.stop().await?;
    }
    let writer = fixture.writer(settings());
    fixture.await_recorded(&runs).await?;
    fixture.await_drained().await?;
    writer.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn partitions_are_made_ahead_and_dropped_after_the_retention() -> Result<()> {
    let fixture = Fixture::start().await?;
    let today = UnixMillis::now().to_utc().date_naive();
    let old = today - chrono::Days::new(40);
    assert_eq!(fixture.store.events().ensure_partitions(old, 2).await?, 2);
    let writer = fixture.writer(settings());
    // Asking for one that exists makes none; the days of the past are gone, so that they can be made again.
    eventually(DEADLINE, "today has its partition", async || {
        let last = today + chrono::Days::new(3);
        fixture.store.events().ensure_partitions(last, 1).await.map(|made| (made == 0).then_some(()))
    })
    .await?;
    eventually(DEADLINE, "the old days are dropped", async || {
        fixture.store.events().ensure_partitions(old, 2).await.map(|made| (made == 2).then_some(()))
    })
    .await?;
    writer.stop().await
}
