use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use futures::StreamExt;
use millrace_bus::{Abandon, LiveItem, QueueKey};
use millrace_contracts::job::Priority;
use millrace_contracts::{EventType, ExecutionId, Pool};

use crate::support::{DEADLINE, Fixture, job, live};

#[tokio::test]
async fn a_job_goes_to_a_worker_of_its_pool_and_is_announced() -> Result<()> {
    let fixture = Fixture::start().await?;
    let bus = &fixture.bus;
    let mut feed = bus.subscribe(&["inference:*"]).await?;
    let jobs =
        [job("fast", Some("shapes"), Priority::Normal), job("heavy", Some("shapes"), Priority::Normal)];
    let events = jobs.each_ref().map(|job| live(EventType::InferenceQueued, job.execution_id));
    bus.enqueue(&jobs, &events).await?;
    for event in &events {
        let item = tokio::time::timeout(DEADLINE, feed.next()).await?.context("the feed is endless")?;
        let LiveItem::Event(heard) = item else { anyhow::bail!("{item:?}") };
        assert_eq!(heard.channel, "inference:queued");
        assert_eq!(heard.payload, serde_json::to_string(event)?);
    }

    let (fast, heavy): ([Pool; 1], [Pool; 1]) = (["fast".into()], ["heavy".into()]);
    let mut queues = bus.queues(&"w1".into()).await?;
    let found = queues.read(&fast, 8, DEADLINE).await?;
    assert_eq!(found.len(), 1);
    assert_eq!((&found[0].job, found[0].deliveries), (&jobs[0], 1));
    assert_eq!(found[0].queue, QueueKey::of(&jobs[0]));
    assert!(queues.read(&fast, 8, Duration::ZERO).await?.is_empty());
    assert_eq!(queues.read(&heavy, 8, DEADLINE).await?[0].job, jobs[1]);
    Ok(())
}

#[tokio::test]
async fn a_job_of_a_model_at_a_long_and_odd_address_comes_as_it_was_sent() -> Result<()> {
    let fixture = Fixture::start().await?;
    let bus = &fixture.bus;
    let start = "https://models.example/{a}/b|c:d.onnx?X-Amz-Signature=%2B&x=";
    let address = format!("{start}{}", "f".repeat(2_048 - start.len()));
    let job = job("fast", Some(&address), Priority::Normal);
    let event = live(EventType::InferenceQueued, job.execution_id);
    bus.enqueue(std::slice::from_ref(&job), std::slice::from_ref(&event)).await?;
    let pools: [Pool; 1] = ["fast".into()];
    let mut queues = bus.queues(&"w1".into()).await?;
    assert_eq!(queues.model_queues(&pools).await?, [(pools[0].clone(), address.as_str().into())]);
    let found = queues.read(&pools, 8, DEADLINE).await?;
    assert_eq!((found.len(), &found[0].job, &found[0].queue), (1, &job, &QueueKey::of(&job)));
    Ok(())
}

#[tokio::test]
async fn a_new_queue_wakes_a_blocked_worker() -> Result<()> {
    let fixture = Fixture::start().await?;
    let bus = &fixture.bus;
    let pools: [Pool; 1] = ["fast".into()];
    let mut queues = bus.queues(&"w1".into()).await?;
    // One queue is known, so that the worker blocks in Redis and not on the bell alone.
    bus.enqueue(&[job("fast", Some("first"), Priority::Normal)], &[]).await?;
    assert_eq!(queues.read(&pools, 1, DEADLINE).await?.len(), 1);

    let mut slowest = Duration::ZERO;
    for round in 0..10 {
        let model = format!("new-{round}");
        let wanted = job("fast", Some(&model), Priority::Low);
        let read = async { anyhow::Ok((queues.read(&pools, 1, DEADLINE).await?, Instant::now())) };
        let enqueue = async {
            // The worker is in its blocking read before the queue appears.
            wait_until_blocked(&fixture).await?;
            let sent = Instant::now();
            bus.enqueue(std::slice::from_ref(&wanted), &[]).await?;
            anyhow::Ok(sent)
        };
        let ((found, arrived), sent) = tokio::try_join!(read, enqueue)?;
        assert_eq!(found[0].job, wanted);
        slowest = slowest.max(arrived.duration_since(sent));
    }
    assert!(slowest < Duration::from_millis(800), "the bell was not heard: {slowest:?}");
    Ok(())
}

/// Until some client is blocked in Redis.
async fn wait_until_blocked(fixture: &Fixture) -> Result<()> {
    millrace_testkit::eventually(DEADLINE, "the worker blocks", async || {
        let info: String = fixture.ask("INFO clients").await?;
        anyhow::Ok(info.contains("blocked_clients:1").then_some(()))
    })
    .await
}

#[tokio::test]
async fn the_first_queue_of_all_is_found() -> Result<()> {
    let fixture = Fixture::start().await?;
    let bus = &fixture.bus;
    let pools: [Pool; 1] = ["cpu".into()];
    let mut queues = bus.queues(&"w1".into()).await?;
    let jobs = [job("cpu", None, Priority::Normal)];
    let (found, ()) = tokio::try_join!(queues.read(&pools, 1, DEADLINE), bus.enqueue(&jobs, &[]))?;
    assert_eq!(found[0].job, jobs[0]);
    assert!(queues.read(&pools, 1, Duration::from_millis(50)).await?.is_empty());
    Ok(())
}

#[tokio::test]
async fn a_read_that_is_dropped_half_way_loses_no_job() -> Result<()> {
    let fixture = Fixture::start().await?;
    let bus = &fixture.bus;
    let pools: [Pool; 1] = ["cpu".into()];
    let mut queues = bus.queues(&"w1".into()).await?;
    let mut seen = 0;
    for _ in 0..100 {
        bus.enqueue(&[job("cpu", None, Priority::Normal)], &[]).await?;
        if let Ok(found) =
            tokio::time::timeout(Duration::from_micros(300), queues.read(&pools, 4, DEADLINE)).await
        {
            seen += found?.len();
        }
    }
    while seen < 100 {
        let found = queues.read(&pools, 4, Duration::from_secs(2)).await?;
        assert!(!found.is_empty(), "only {seen} of 100 jobs came");
        seen += found.len();
    }
    assert_eq!(seen, 100);
    Ok(())
}

/// Who does not read for a while lets go of what a read that it dropped was given: nobody keeps that claim fresh, so it would be
/// taken over, and then answered here all the same.
#[tokio::test]
async fn what_nobody_was_handed_is_put_back_for_others() -> Result<()> {
    let fixture = Fixture::start().await?;
    let bus = &fixture.bus;
    let pools: [Pool; 1] = ["cpu".into()];
    bus.enqueue(&[job("cpu", None, Priority::Normal)], &[]).await?;
    let mut queues = bus.queues(&"w1".into()).await?;
    let held = queues.read(&pools, 1, DEADLINE).await?;
    let late = loop {
        tokio::select! {
            found = queues.read(&pools, 1, DEADLINE) => anyhow::bail!("{found:?}"),
            blocked = wait_until_blocked(&fixture) => blocked?,
        }
        let late = job("cpu", None, Priority::Normal);
        bus.enqueue(std::slice::from_ref(&late), &[]).await?;
        if queues.put_back().await? == 1 {
            break late;
        }
        // The dropped read had ended by itself before the job was there.
        assert_eq!(queues.read(&pools, 1, DEADLINE).await?[0].job, late);
    };
    let mut other = bus.queues(&"w2".into()).await?;
    let found = other.read(&pools, 2, DEADLINE).await?;
    assert_eq!((found.len(), &found[0].job, found[0].deliveries), (1, &late, 1));
    assert!(queues.read(&pools, 2, Duration::ZERO).await?.is_empty(), "it is in other hands");
    let held = [(held[0].queue.clone(), held[0].entry.clone())];
    assert_eq!(bus.keep(&"w1".into(), &held).await?, [], "what was handed out stays where it is");
    assert_eq!(queues.put_back().await?, 0);
    Ok(())
}

#[tokio::test]
async fn an_abandoned_job_is_told_to_workers() -> Result<()> {
    let fixture = Fixture::start().await?;
    let bus = &fixture.bus;
    let (run, job) = (ExecutionId::generate(), job("cpu", None, Priority::Normal));
    let mut feed = bus.subscribe(&[&bus.cancelled_channel()]).await?;
    bus.abandon(&[Abandon { execution_id: run, job_ids: vec![job.id] }]).await?;
    let item = tokio::time::timeout(DEADLINE, feed.next()).await?.context("the feed is endless")?;
    let LiveItem::Event(event) = item else { anyhow::bail!("{item:?}") };
    let abandon = Abandon::from_payload(&event.payload).context("it reads")?;
    assert!(abandon.covers(run, job.id));
    assert!(!abandon.covers(job.execution_id, job.id));
    Ok(())
}
