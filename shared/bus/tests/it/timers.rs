use std::collections::HashSet;
use std::time::Duration;

use anyhow::Result;
use millrace_bus::{Bus, Commit};
use millrace_contracts::message::{Message, NodeAttempt, Timer, TimerPurpose};
use millrace_contracts::{ExecutionId, ItemPath, Partition, UnixMillis};

use crate::support::{Fixture, read_messages};

fn retry(run: ExecutionId, item: u32) -> Timer {
    let attempt = NodeAttempt { node_id: "detect-1".into(), path: ItemPath::root().child(item), attempt: 2 };
    Timer { execution_id: run, purpose: TimerPurpose::Retry(attempt) }
}

async fn sweep(bus: Bus, partition: Partition) -> Result<usize> {
    let mut fired = 0;
    loop {
        let swept = bus.fire_timers(partition, UnixMillis(1_000), 7).await?;
        fired += swept.fired;
        if swept.fired == 0 {
            return Ok(fired);
        }
    }
}

#[tokio::test]
async fn two_sweepers_that_race_fire_each_due_timer_once() -> Result<()> {
    let fixture = Fixture::start().await?;
    let bus = &fixture.bus;
    let run = ExecutionId::generate();
    let partition = bus.partition_of(run);
    let mut commit = Commit::new(run, partition, 0);
    commit.set_timers = (0..200).map(|item| (UnixMillis(i64::from(item) + 1), retry(run, item))).collect();
    commit
        .set_timers
        .push((UnixMillis(1_001), Timer { execution_id: run, purpose: TimerPurpose::RunTimeout }));
    bus.commit(&[commit]).await?;

    let (mine, theirs) = tokio::try_join!(sweep(bus.clone(), partition), sweep(bus.clone(), partition))?;
    assert_eq!(mine + theirs, 200);
    let left = bus.fire_timers(partition, UnixMillis(1_000), 7).await?;
    assert_eq!((left.fired, left.next_due), (0, Some(UnixMillis(1_001))));

    let mut inbox = bus.inbox("o1").await?;
    let messages = read_messages(&mut inbox, &[partition], 200).await?;
    let timers: HashSet<Timer> = messages
        .into_iter()
        .filter_map(|delivery| match delivery.message {
            Message::Timer(timer) => Some(timer),
            _ => None,
        })
        .collect();
    assert_eq!(timers, (0..200).map(|item| retry(run, item)).collect());
    Ok(())
}

#[tokio::test]
async fn a_cleared_timer_never_fires_and_a_moved_one_fires_late() -> Result<()> {
    let fixture = Fixture::start().await?;
    let bus = &fixture.bus;
    let run = ExecutionId::generate();
    let partition = bus.partition_of(run);
    let mut commit = Commit::new(run, partition, 0);
    commit.set_timers = vec![(UnixMillis(1), retry(run, 0)), (UnixMillis(2), retry(run, 1))];
    bus.commit(&[commit]).await?;
    let mut commit = Commit::new(run, partition, 1);
    commit.clear_timers = vec![retry(run, 0), retry(run, 9)];
    commit.set_timers = vec![(UnixMillis(500), retry(run, 1))];
    bus.commit(&[commit]).await?;

    let early = bus.fire_timers(partition, UnixMillis(499), 10).await?;
    assert_eq!((early.fired, early.next_due), (0, Some(UnixMillis(500))));
    let late = bus.fire_timers(partition, UnixMillis(500), 10).await?;
    assert_eq!((late.fired, late.next_due), (1, None));
    assert!(bus.inbox("o1").await?.read(&[partition], 9, Duration::ZERO).await?.len() == 1);
    Ok(())
}
