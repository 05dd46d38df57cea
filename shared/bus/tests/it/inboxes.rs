use std::time::Duration;

use anyhow::{Context, Result};
use futures::StreamExt;
use millrace_bus::LiveItem;
use millrace_contracts::message::Message;
use millrace_contracts::{Event, EventType, ExecutionId, Partition};
use millrace_testkit::eventually;

use crate::support::{DEADLINE, Fixture, accepted, read_messages};

#[tokio::test]
async fn an_accepted_run_reaches_inbox_record_and_live_view() -> Result<()> {
    let fixture = Fixture::start().await?;
    let bus = &fixture.bus;
    let mut feed = bus.subscribe(&["workflow:*"]).await?;
    let accepted = accepted(ExecutionId::generate());
    let run = accepted.execution_id;
    bus.execute(&accepted).await?;
    bus.cancel(run, "changed my mind").await?;
    bus.wake(run).await?;

    let mut inbox = bus.inbox("o1").await?;
    let messages: Vec<Message> = read_messages(&mut inbox, &[bus.partition_of(run)], 3)
        .await?
        .into_iter()
        .map(|d| d.message)
        .collect();
    let expected = [
        Message::Execute(Box::new(accepted)),
        Message::Cancel { execution_id: run, reason: "changed my mind".into() },
        Message::Wake { execution_id: run },
    ];
    assert_eq!(messages, expected);

    let recorded = bus.recorder("w").await?.read(10, DEADLINE).await?;
    assert_eq!(recorded.len(), 1);
    assert_eq!(recorded[0].event.kind, EventType::WorkflowExecute);
    assert_eq!(recorded[0].event.data["execution_id"], run.to_string());
    for channel in ["workflow:execute", "workflow:cancel"] {
        let item = tokio::time::timeout(DEADLINE, feed.next()).await?.context("the feed is endless")?;
        let LiveItem::Event(event) = item else { anyhow::bail!("{item:?}") };
        assert_eq!(event.channel, channel);
        assert_eq!(serde_json::from_str::<Event>(&event.payload)?.execution_id, Some(run));
    }
    Ok(())
}

#[tokio::test]
async fn a_dead_replicas_messages_go_to_another_until_acknowledged() -> Result<()> {
    let fixture = Fixture::start().await?;
    let bus = &fixture.bus;
    let runs: Vec<_> = (0..40).map(|_| ExecutionId::generate()).collect();
    for run in &runs {
        bus.wake(*run).await?;
    }
    let partitions: Vec<Partition> = bus.all_partitions().collect();
    let mut doomed = bus.inbox("doomed").await?;
    let first = read_messages(&mut doomed, &partitions, 40).await?;
    assert!(first.iter().all(|delivery| delivery.deliveries == 1));
    drop(doomed);

    let mut heir = bus.inbox("heir").await?;
    assert!(heir.read(&partitions, 100, Duration::ZERO).await?.is_empty(), "they are not new");
    let mut inherited = Vec::new();
    for partition in &partitions {
        assert!(heir.claim(*partition, DEADLINE, 100).await?.is_empty(), "they are not stale yet");
        inherited.extend(heir.claim(*partition, Duration::ZERO, 100).await?);
    }
    assert_eq!(inherited.len(), 40);
    assert!(inherited.iter().all(|delivery| delivery.deliveries == 2));

    assert_eq!(bus.inbox_depth().await?, 40);
    let done: Vec<_> = inherited.into_iter().map(|delivery| (delivery.partition, delivery.entry)).collect();
    bus.ack("doomed", &done).await?;
    assert_eq!(
        bus.inbox_depth().await?,
        40,
        "what the heir has claimed is no longer the doomed one's to acknowledge"
    );
    bus.ack("heir", &done).await?;
    bus.ack("heir", &done).await?;
    assert_eq!(bus.inbox_depth().await?, 0);
    Ok(())
}

#[tokio::test]
async fn a_read_that_is_dropped_half_way_loses_nothing() -> Result<()> {
    let fixture = Fixture::start().await?;
    let bus = &fixture.bus;
    let run = ExecutionId::generate();
    let partitions = [bus.partition_of(run)];
    let mut inbox = bus.inbox("o1").await?;
    let cut = tokio::time::timeout(Duration::from_millis(100), inbox.read(&partitions, 8, DEADLINE)).await;
    assert!(cut.is_err(), "there is nothing to read yet");
    // Redis hands this one to the read that nobody waits for any more.
    bus.wake(run).await?;
    eventually(DEADLINE, "the message is handed out", async || {
        let pending: redis::streams::StreamPendingReply =
            fixture.ask(&format!("XPENDING {{mr:p{}}}:inbox orchestrator", partitions[0])).await?;
        anyhow::Ok((pending.count() == 1).then_some(()))
    })
    .await?;
    let found = inbox.read(&partitions, 8, Duration::ZERO).await?;
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].message, Message::Wake { execution_id: run });
    Ok(())
}

#[tokio::test]
async fn a_batch_stays_within_its_bound() -> Result<()> {
    let fixture = Fixture::start().await?;
    let bus = &fixture.bus;
    for _ in 0..400 {
        bus.wake(ExecutionId::generate()).await?;
    }
    let partitions: Vec<Partition> = bus.all_partitions().collect();
    let found = bus.inbox("o1").await?.read(&partitions, 64, Duration::ZERO).await?;
    assert!((1..=64).contains(&found.len()), "{}", found.len());
    Ok(())
}
