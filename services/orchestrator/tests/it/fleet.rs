//! Workers that are gone are taken off the list, and said to be.

use std::time::Duration;

use millrace_contracts::{EventType, UnixMillis};
use millrace_testkit::eventually;

use crate::support::{DEADLINE, World};

#[tokio::test]
async fn a_worker_that_was_killed_is_lost_and_one_that_is_there_is_not() -> anyhow::Result<()> {
    let world = World::start().await?;
    let (killed, now) = (UnixMillis(UnixMillis::now().0 - 120_000), UnixMillis::now());
    let mut silent = redis::cmd("ZADD");
    silent.arg("mr:workers").arg(killed.0).arg("killed").arg(now.0).arg("late");
    world.redis(silent).await?;
    world.bus.register_worker(&"alive".into(), "{}", Duration::from_secs(600)).await?;
    let replica = world.replica();
    let other = world.replica();

    let listed = eventually(DEADLINE, "the killed worker is off the list", async || {
        let mut listed: Vec<_> = world.bus.workers().await?.into_iter().map(|worker| worker.id).collect();
        listed.sort_unstable();
        Ok::<_, millrace_bus::BusError>((listed.len() < 3).then_some(listed))
    })
    .await?;
    assert_eq!(listed, ["alive".into(), "late".into()]);
    let mut recorder = world.bus.recorder("writer").await?;
    let told = eventually(DEADLINE, "the writer is told", async || {
        let told = recorder.read(10, Duration::from_millis(200)).await?;
        Ok::<_, millrace_bus::BusError>((!told.is_empty()).then_some(told))
    })
    .await?;
    assert_eq!(told.len(), 1, "one of the two says so");
    let event = &told[0].event;
    assert_eq!((event.kind, event.subject.as_deref()), (EventType::WorkerLost, Some("killed")));
    assert_eq!(event.data["worker_id"], "killed");
    replica.stop().await?;
    other.stop().await
}
