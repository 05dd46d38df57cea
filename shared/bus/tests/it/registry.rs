use std::collections::HashMap;
use std::time::Duration;

use anyhow::Result;
use millrace_contracts::Pool;
use millrace_contracts::job::Priority;

use crate::support::{DEADLINE, Fixture, job};

#[tokio::test]
async fn depths_tell_waiting_from_pending_and_for_how_long() -> Result<()> {
    let fixture = Fixture::start().await?;
    let bus = &fixture.bus;
    assert!(bus.queue_depths().await?.is_empty());
    let jobs: Vec<_> = (0..5).map(|_| job("fast", Some("m"), Priority::Normal)).collect();
    bus.enqueue(&jobs, &[]).await?;
    let pools: [Pool; 1] = ["fast".into()];
    let mut queues = bus.queues(&"w1".into()).await?;
    assert_eq!(queues.read(&pools, 2, DEADLINE).await?.len(), 2);

    let depths = bus.queue_depths().await?;
    assert_eq!(depths.len(), 3, "one per priority");
    let normal = &depths[1];
    assert_eq!((normal.pool.as_str(), normal.priority), ("fast", Priority::Normal));
    assert_eq!((normal.waiting, normal.pending), (3, 2));
    assert!(normal.oldest_ms.is_some_and(|age| age < 60_000));
    assert_eq!((depths[0].waiting, depths[0].oldest_ms), (0, None));

    assert_eq!(queues.read(&pools, 3, DEADLINE).await?.len(), 3);
    let normal = &bus.queue_depths().await?[1];
    assert_eq!((normal.waiting, normal.pending, normal.oldest_ms), (0, 5, None));
    Ok(())
}

#[tokio::test]
async fn an_empty_queue_that_is_long_unused_is_forgotten_and_comes_back_when_used() -> Result<()> {
    let fixture = Fixture::start().await?;
    let bus = &fixture.bus;
    let pools: [Pool; 1] = ["fast".into()];
    let mut queues = bus.queues(&"w1".into()).await?;
    bus.enqueue(&[job("fast", Some("idle"), Priority::Low), job("fast", Some("full"), Priority::Low)], &[])
        .await?;
    let done: Vec<_> =
        queues.read(&pools, 9, DEADLINE).await?.into_iter().map(|d| (d.queue, d.entry)).collect();
    bus.ack_jobs(&done).await?;
    bus.enqueue(&[job("fast", Some("full"), Priority::Low)], &[]).await?;
    for queue in ["fast|idle", "fast|full"] {
        fixture.ask::<()>(&format!("ZADD mr:queues 1 {queue}")).await?;
    }

    bus.tidy().await?;
    let left: Vec<String> = fixture.ask("ZRANGE mr:queues 0 -1").await?;
    assert_eq!(left, ["fast|full"], "a queue with a job in it stays");
    assert_eq!(fixture.ask::<u64>("EXISTS {mr:q:fast:idle}:high {mr:q:fast:idle}:low").await?, 0);

    bus.ack_jobs(&[]).await?;
    assert_eq!(queues.read(&pools, 9, DEADLINE).await?.len(), 1);
    // The worker still knows the forgotten queue, and blocks over it.
    let revived = job("fast", Some("idle"), Priority::Normal);
    let jobs = [revived.clone()];
    let (found, ()) = tokio::try_join!(queues.read(&pools, 9, DEADLINE), bus.enqueue(&jobs, &[]))?;
    assert_eq!(found[0].job, revived);
    Ok(())
}

#[tokio::test]
async fn consumers_that_hold_nothing_are_forgotten_and_the_others_kept() -> Result<()> {
    let fixture = Fixture::start().await?;
    let bus = &fixture.bus;
    let pools: [Pool; 1] = ["fast".into()];
    bus.enqueue(&[job("fast", None, Priority::Normal)], &[]).await?;
    let mut holder = bus.queues(&"holder".into()).await?;
    assert_eq!(holder.read(&pools, 1, DEADLINE).await?.len(), 1);
    let mut idler = bus.queues(&"idler".into()).await?;
    assert!(idler.read(&pools, 1, Duration::from_millis(5)).await?.is_empty());

    assert_eq!(bus.forget_silent_consumers(DEADLINE).await?, 0);
    bus.forget_silent_consumers(Duration::ZERO).await?;
    let consumers: Vec<HashMap<String, redis::Value>> =
        fixture.ask("XINFO CONSUMERS {mr:q:fast:-}:normal workers").await?;
    let names: Vec<String> = consumers
        .into_iter()
        .filter_map(|mut facts| redis::from_redis_value(facts.remove("name")?).ok())
        .collect();
    assert_eq!(names, ["holder"]);

    bus.enqueue(&[job("fast", None, Priority::Normal)], &[]).await?;
    assert_eq!(idler.read(&pools, 1, DEADLINE).await?.len(), 1, "one that speaks again is there again");
    Ok(())
}
