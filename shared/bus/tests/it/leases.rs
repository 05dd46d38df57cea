use std::time::Duration;

use anyhow::Result;
use millrace_contracts::{Partition, UnixMillis};
use millrace_testkit::eventually;

use crate::support::{DEADLINE, Fixture};

const LONG: Duration = Duration::from_secs(60);

#[tokio::test]
async fn a_lease_is_held_by_one_and_taken_over_once_it_lapses() -> Result<()> {
    let fixture = Fixture::start().await?;
    let bus = &fixture.bus;
    let partition = Partition(4);
    assert!(bus.lease_partition(partition, "a", LONG).await?);
    assert!(bus.lease_partition(partition, "a", LONG).await?, "the holder renews");
    assert!(!bus.lease_partition(partition, "b", LONG).await?);
    assert!(!bus.release_partition(partition, "b").await?, "nobody gives back what is another's");

    assert!(bus.lease_partition(partition, "a", Duration::from_millis(50)).await?);
    eventually(DEADLINE, "b takes over", async || {
        bus.lease_partition(partition, "b", LONG).await.map(|held| held.then_some(()))
    })
    .await?;
    assert!(!bus.lease_partition(partition, "a", LONG).await?);

    assert!(bus.release_partition(partition, "b").await?);
    assert!(bus.lease_partition(partition, "a", LONG).await?);
    Ok(())
}

#[tokio::test]
async fn replicas_see_each_other_until_they_fall_silent() -> Result<()> {
    let fixture = Fixture::start().await?;
    let bus = &fixture.bus;
    let ttl = Duration::from_secs(5);
    assert_eq!(bus.heartbeat_orchestrator("b", UnixMillis(10_000), ttl).await?, ["b"]);
    assert_eq!(bus.heartbeat_orchestrator("a", UnixMillis(12_000), ttl).await?, ["a", "b"]);
    assert_eq!(bus.heartbeat_orchestrator("a", UnixMillis(15_001), ttl).await?, ["a"]);
    bus.remove_orchestrator("a").await?;
    assert_eq!(bus.heartbeat_orchestrator("c", UnixMillis(15_002), ttl).await?, ["c"]);
    Ok(())
}
