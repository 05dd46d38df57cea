use anyhow::Result;
use chrono::NaiveDate;
use millrace_contracts::event::LogPosition;
use millrace_contracts::{Event, UnixMillis};

use crate::story::Story;
use crate::support::Fixture;

/// 2026-03-10T12:00:00Z.
const NOON: UnixMillis = UnixMillis(1_773_144_000_000);
const DAY_MS: i64 = 86_400_000;

fn day(text: &str) -> NaiveDate {
    text.parse().expect("a date")
}

/// A completed run that happened so many days after noon of the tenth.
fn story_on(days: i64) -> Story {
    let mut story = Story::completed();
    let shift = NOON.0 + days * DAY_MS - story.accepted.created_at.0;
    let moved = |event: &Event| Event { time: UnixMillis(event.time.0 + shift), ..event.clone() };
    story.events = story.events.iter().map(moved).collect();
    story.accepted.created_at = UnixMillis(story.accepted.created_at.0 + shift);
    story
}

#[tokio::test]
async fn days_are_made_ahead_once_and_dropped_when_they_are_over() -> Result<()> {
    let fixture = Fixture::start().await?;
    let events = fixture.store.events();
    assert_eq!(events.ensure_partitions(day("2026-03-09"), 4).await?, 4);
    assert_eq!(events.ensure_partitions(day("2026-03-09"), 4).await?, 0);
    assert_eq!(events.ensure_partitions(day("2026-03-10"), 4).await?, 1);
    for days in [-1, 0, 1] {
        let story = story_on(days);
        fixture.store.accept(&[story.run()]).await?;
        fixture.record(&story.events).await?;
    }
    assert_eq!(fixture.count("select count(*) from wf_events_20260310").await?, 5);
    assert_eq!(fixture.count("select count(*) from wf_events_default").await?, 0);
    assert_eq!(events.drop_partitions_before(day("2026-03-10")).await?, 1);
    assert_eq!(events.drop_partitions_before(day("2026-03-10")).await?, 0);
    assert_eq!(fixture.count("select count(*) from wf_events").await?, 10);
    Ok(())
}

#[tokio::test]
async fn rows_without_a_partition_wait_in_the_default_one_and_move() -> Result<()> {
    let fixture = Fixture::start().await?;
    let (old, new) = (story_on(-40), story_on(0));
    for story in [&old, &new] {
        fixture.store.accept(&[story.run()]).await?;
        fixture.record(&story.events).await?;
    }
    assert_eq!(fixture.count("select count(*) from wf_events_default").await?, 10);
    fixture.store.events().ensure_partitions(day("2026-03-10"), 1).await?;
    assert_eq!(fixture.count("select count(*) from wf_events_20260310").await?, 5);
    assert_eq!(fixture.record(&new.events).await?.new_events, 0, "still the same events");
    let log = fixture.store.events().after(new.run, LogPosition { epoch: 1, seq: 0 }, 10).await?;
    assert_eq!(log.len(), 5);
    fixture.store.events().drop_partitions_before(day("2026-03-10")).await?;
    assert_eq!(fixture.count("select count(*) from wf_events_default").await?, 0);
    Ok(())
}

#[tokio::test]
async fn several_replicas_may_look_after_the_partitions_at_once() -> Result<()> {
    let fixture = Fixture::start().await?;
    let rounds = (0..4).map(|_| {
        let store = fixture.store.clone();
        async move { store.events().ensure_partitions(day("2026-03-09"), 5).await }
    });
    let made: u32 = futures::future::try_join_all(rounds).await?.into_iter().sum();
    assert_eq!(made, 5);
    Ok(())
}

/// Rows that move between partitions are never out of sight: a reader that had planned without the new partition once
/// found them in neither.
#[tokio::test]
async fn readers_see_every_event_while_rows_move() -> Result<()> {
    const DAYS: i64 = 25;
    let fixture = Fixture::start().await?;
    let stories: Vec<Story> = (0..DAYS).map(story_on).collect();
    for story in &stories {
        fixture.store.accept(&[story.run()]).await?;
        fixture.record(&story.events).await?;
    }
    for at in 0..DAYS {
        let first = day("2026-03-10") + chrono::Days::new(at.unsigned_abs());
        let (store, run) = (&fixture.store, stories[at as usize].run);
        let moved = async { store.events().ensure_partitions(first, 1).await };
        let read = async {
            for _ in 0..20 {
                let log = store.events().after(run, LogPosition { epoch: 1, seq: 0 }, 10).await?;
                anyhow::ensure!(log.len() == 5, "{} of 5 events are seen", log.len());
            }
            Ok(())
        };
        let (made, seen) = tokio::join!(moved, read);
        assert_eq!(made?, 1);
        seen?;
    }
    Ok(())
}
