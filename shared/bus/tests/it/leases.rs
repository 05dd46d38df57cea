use std::time::Duration;

use anyhow::Result;
use millrace_contracts::{Partition, Pool, WorkerId};
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
async fn one_worker_of_a_pool_waits_for_a_last_chance() -> Result<()> {
    let fixture = Fixture::start().await?;
    let bus = &fixture.bus;
    let (cpu, heavy) = (Pool::from("cpu"), Pool::from("heavy"));
    let (one, other) = (WorkerId::from("one"), WorkerId::from("other"));
    assert!(bus.claim_last_chance(&cpu, &one, LONG).await?);
    assert!(bus.claim_last_chance(&cpu, &one, LONG).await?, "who has it renews it");
    assert!(!bus.claim_last_chance(&cpu, &other, LONG).await?);
    assert!(bus.claim_last_chance(&heavy, &other, LONG).await?, "each pool has its own");
    assert!(!bus.release_last_chance(&cpu, &other).await?);
    assert!(bus.release_last_chance(&cpu, &one).await?);

    assert!(bus.claim_last_chance(&cpu, &other, Duration::from_millis(50)).await?);
    eventually(DEADLINE, "a dead worker's claim ends", async || {
        bus.claim_last_chance(&cpu, &one, LONG).await.map(|held| held.then_some(()))
    })
    .await
}

#[tokio::test]
async fn replicas_see_each_other_until_they_fall_silent() -> Result<()> {
    let fixture = Fixture::start().await?;
    let bus = &fixture.bus;
    assert_eq!(bus.heartbeat_orchestrator("b", LONG).await?, ["b"]);
    assert_eq!(bus.heartbeat_orchestrator("a", LONG).await?, ["a", "b"]);
    eventually(DEADLINE, "b is forgotten", async || {
        let live = bus.heartbeat_orchestrator("a", Duration::from_millis(50)).await?;
        anyhow::Ok((live == ["a"]).then_some(()))
    })
    .await?;
    bus.remove_orchestrator("a").await?;
    assert_eq!(bus.heartbeat_orchestrator("c", LONG).await?, ["c"]);
    Ok(())
}

/// Two hosts whose clocks are a minute apart must not take each other for dead, nor a dead one for alive: what is noted is what
/// the clock of Redis says.
#[tokio::test]
async fn the_clock_of_redis_says_who_is_alive() -> Result<()> {
    let fixture = Fixture::start().await?;
    let clock = async || {
        let (seconds, micros): (i64, i64) = fixture.ask("TIME").await?;
        anyhow::Ok(seconds * 1000 + micros / 1000)
    };
    let before = clock().await?;
    fixture.bus.heartbeat_orchestrator("a", LONG).await?;
    let noted: i64 = fixture.ask("ZSCORE mr:orchestrators a").await?;
    assert!((before..=clock().await?).contains(&noted));
    Ok(())
}
