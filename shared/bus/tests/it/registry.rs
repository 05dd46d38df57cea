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
