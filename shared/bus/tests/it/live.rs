use std::time::Duration;

use anyhow::{Context, Result};
use futures::StreamExt;
use millrace_bus::{LiveFeed, LiveItem};
use millrace_contracts::{EventType, ExecutionId};
use millrace_testkit::eventually;

use crate::support::{DEADLINE, Fixture, live};

async fn next(feed: &mut LiveFeed) -> Result<LiveItem> {
    tokio::time::timeout(DEADLINE, feed.next()).await?.context("the feed is endless")
}

#[tokio::test]
async fn a_feed_reconnects_after_the_server_restarts_and_says_so() -> Result<()> {
    let mut fixture = Fixture::start().await?;
    let bus = fixture.bus.clone();
    let mut feed = bus.subscribe(&["workflow:*", "worker:*"]).await?;
    let event = live(EventType::WorkflowStarted, ExecutionId::generate());
    bus.publish(&event).await?;
    assert!(matches!(next(&mut feed).await?, LiveItem::Event(heard) if heard.channel == "workflow:started"));

    let server = fixture.redis.server();
    let port = server.port();
    server.kill().await;
    server.restart().await?;
    anyhow::ensure!(server.port() == port, "the port was taken meanwhile");
    assert_eq!(next(&mut feed).await?, LiveItem::Reconnected);
    eventually(DEADLINE, "commands go through", async || bus.ping().await.map(Some)).await?;
    bus.publish_all(&[live(EventType::ModelLoaded, ExecutionId::generate()), event.clone()]).await?;
    let LiveItem::Event(heard) = next(&mut feed).await? else { anyhow::bail!("an event was published") };
    assert_eq!(heard.payload, serde_json::to_string(&event)?, "and model:loaded was not subscribed to");
    Ok(())
}

#[tokio::test]
async fn who_subscribes_patiently_hears_what_is_said_once_the_server_is_there() -> Result<()> {
    let mut fixture = Fixture::start().await?;
    let bus = fixture.bus.clone();
    fixture.redis.server().kill().await;
    assert!(bus.subscribe(&["workflow:*"]).await.is_err(), "nobody is there");
    let subscribing = bus.subscribe_patiently(&["workflow:*"]);
    tokio::pin!(subscribing);
    let early = tokio::time::timeout(Duration::from_millis(100), &mut subscribing).await;
    assert!(early.is_err(), "and it goes on trying");
    fixture.redis.server().restart().await?;
    let mut feed = tokio::time::timeout(DEADLINE, subscribing).await?;
    let event = live(EventType::WorkflowStarted, ExecutionId::generate());
    eventually(DEADLINE, "it is said", async || bus.publish(&event).await.map(Some)).await?;
    assert!(matches!(next(&mut feed).await?, LiveItem::Event(heard) if heard.channel == "workflow:started"));
    Ok(())
}

#[tokio::test]
async fn a_consumer_that_is_far_behind_is_told_instead_of_growing() -> Result<()> {
    let fixture = Fixture::start().await?;
    let bus = &fixture.bus;
    let mut feed = bus.subscribe(&["workflow:*"]).await?;
    let burst = vec![live(EventType::WorkflowStarted, ExecutionId::generate()); 5_000];
    for _ in 0..8 {
        bus.publish_all(&burst).await?;
    }
    // What Redis has handed over is held here or in a socket, which has room for a fraction of it.
    eventually(DEADLINE, "the subscriber has been sent everything", async || {
        let clients: String = fixture.ask("CLIENT LIST TYPE pubsub").await?;
        Ok::<_, anyhow::Error>(clients.lines().all(|client| client.contains(" omem=0 ")).then_some(()))
    })
    .await?;
    let mut heard = 0;
    loop {
        match next(&mut feed).await? {
            LiveItem::Event(_) => heard += 1,
            LiveItem::Reconnected => break,
        }
        assert!(heard < 40_000, "40,000 messages cannot all have been held");
    }
    Ok(())
}
