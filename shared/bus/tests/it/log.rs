use anyhow::{Context, Result};
use futures::StreamExt;
use millrace_bus::{LiveEvent, LiveItem};
use millrace_contracts::event::LogPosition;
use millrace_contracts::{Event, EventType, ExecutionId};

use crate::support::{DEADLINE, Fixture, durable, live, step};

#[tokio::test]
async fn a_log_is_read_gapless_from_any_position_across_epochs() -> Result<()> {
    let fixture = Fixture::start().await?;
    let bus = &fixture.bus;
    let run = ExecutionId::generate();
    assert_eq!(bus.log_end(run).await?, None);
    for version in 0..20 {
        let mut commit = step(bus, run, version, 2 * version + 1);
        commit.durable.push(durable(run, 2 * version + 2));
        bus.commit(&[commit]).await?;
    }
    let mut rebuilt = step(bus, run, 20, 1);
    rebuilt.durable[0].epoch = Some(2);
    bus.commit(&[rebuilt]).await?;

    let at = |epoch, seq| LogPosition { epoch, seq };
    let mut place = at(1, 7);
    let mut seen = Vec::new();
    loop {
        let page = bus.log(run, place, 5).await?;
        let Some(last) = page.last().and_then(Event::log_position) else { break };
        seen.extend(page.iter().filter_map(Event::log_position));
        place = last;
    }
    let expected: Vec<_> = (8..=40).map(|seq| at(1, seq)).chain([at(2, 1)]).collect();
    assert_eq!(seen, expected);
    assert_eq!(bus.log_end(run).await?, Some(at(2, 1)));
    Ok(())
}

#[tokio::test]
async fn an_event_is_the_same_bytes_in_the_log_the_record_and_the_live_view() -> Result<()> {
    let fixture = Fixture::start().await?;
    let bus = &fixture.bus;
    let run = ExecutionId::generate();
    let mut feed = bus.subscribe(&["workflow:*", "inference:*"]).await?;
    let mut commit = step(bus, run, 0, 1);
    commit.records.push(live(EventType::InferenceQueued, run));
    commit.live.push((0, live(EventType::NodeStarted, run)));
    commit.live.push((1, live(EventType::NodeQueued, run)));
    bus.commit(std::slice::from_ref(&commit)).await?;

    let mut published = Vec::new();
    for _ in 0..3 {
        let item = tokio::time::timeout(DEADLINE, feed.next()).await?.context("the feed is endless")?;
        let LiveItem::Event(LiveEvent { channel, payload }) = item else { anyhow::bail!("{item:?}") };
        published.push((channel, payload));
    }
    let channels: Vec<&str> = published.iter().map(|(channel, _)| channel.as_str()).collect();
    // Live events are told where they happened among the others.
    assert_eq!(channels, ["workflow:node:started", "workflow:node:completed", "workflow:node:queued"]);

    let log = bus.log_text(run, LogPosition { epoch: 0, seq: 0 }, 10).await?;
    assert_eq!(log.len(), 1, "only durable events are logged");
    assert_eq!(log[0].1, published[1].1);

    let mut recorder = bus.recorder("w").await?;
    let recorded = recorder.read(100, DEADLINE).await?;
    let recorded: Vec<&Event> = recorded.iter().map(|entry| &entry.event).collect();
    assert_eq!(recorded, [&commit.durable[0], &commit.records[0]]);
    Ok(())
}
