use std::time::Duration;

use anyhow::{Context, Result};
use futures::StreamExt;
use millrace_bus::{LiveItem, Report};
use millrace_contracts::Pool;
use millrace_contracts::job::Priority;

use crate::support::{DEADLINE, Fixture, job, read_messages, start_report};

#[tokio::test]
async fn a_report_reaches_inbox_and_live_view_and_the_last_one_ends_the_job() -> Result<()> {
    let fixture = Fixture::start().await?;
    let bus = &fixture.bus;
    let pools: [Pool; 1] = ["fast".into()];
    let mut feed = bus.subscribe(&["inference:*"]).await?;
    bus.enqueue(&[job("fast", Some("m"), Priority::High)], &[]).await?;
    let taken = bus.queues(&"w1".into()).await?.read(&pools, 1, DEADLINE).await?.remove(0);
    let (event, message) = start_report(&taken.job);

    let events = std::slice::from_ref(&event);
    let report = Report { job: &taken.job, events, message: &message };
    bus.report_all(&[report], &[]).await?;
    let depths = bus.queue_depths().await?;
    assert_eq!(depths.iter().map(|depth| depth.pending).sum::<u64>(), 1);
    bus.report_all(&[report], &[(taken.queue, taken.entry)]).await?;
    let depths = bus.queue_depths().await?;
    assert_eq!(depths.iter().map(|depth| depth.pending + depth.waiting).sum::<u64>(), 0);
    assert_eq!(fixture.ask::<u64>("XLEN {mr:q:fast:m}:high").await?, 0, "what is done leaves the stream");

    let mut inbox = bus.inbox("o1").await?;
    let messages = read_messages(&mut inbox, &[taken.job.reply_to], 2).await?;
    assert!(messages.iter().all(|delivery| delivery.message == message));
    let item = tokio::time::timeout(DEADLINE, feed.next()).await?.context("the feed is endless")?;
    let LiveItem::Event(heard) = item else { anyhow::bail!("{item:?}") };
    assert_eq!(
        (heard.channel.as_str(), heard.payload),
        ("inference:started", serde_json::to_string(&event)?)
    );
    Ok(())
}

#[tokio::test]
async fn a_report_that_redis_refuses_leaves_the_job_where_it_is() -> Result<()> {
    let fixture = Fixture::start().await?;
    let bus = &fixture.bus;
    let pools: [Pool; 1] = ["fast".into()];
    bus.enqueue(&[job("fast", None, Priority::Normal)], &[]).await?;
    let mut queues = bus.queues(&"w1".into()).await?;
    let taken = queues.read(&pools, 1, DEADLINE).await?.remove(0);
    let (event, message) = start_report(&taken.job);
    let report = Report { job: &taken.job, events: &[event], message: &message };

    fixture.ask::<()>("CONFIG SET maxmemory 1").await?;
    let refused = bus.report_all(&[report], &[]).await.expect_err("there is no memory");
    assert!(refused.is_retryable(), "{refused}");
    fixture.ask::<()>("CONFIG SET maxmemory 0").await?;
    assert_eq!(bus.keep(&"w1".into(), &[(taken.queue.clone(), taken.entry.clone())]).await?, []);
    bus.report_all(&[report], &[]).await?;
    bus.ack_jobs(&[(taken.queue, taken.entry)]).await?;
    assert!(queues.claim_stale(&pools, Duration::ZERO, 9).await?.is_empty());
    Ok(())
}
