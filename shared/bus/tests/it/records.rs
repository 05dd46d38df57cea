use std::time::Duration;

use anyhow::Result;
use millrace_bus::RecorderLag;
use millrace_contracts::ExecutionId;

use crate::support::{DEADLINE, Fixture, step};

#[tokio::test]
async fn events_stay_until_recorded_and_pass_from_a_dead_writer_to_another() -> Result<()> {
    let fixture = Fixture::start().await?;
    let bus = &fixture.bus;
    let runs: Vec<_> = (0..60).map(|_| ExecutionId::generate()).collect();
    let commits: Vec<_> = runs.iter().map(|run| step(bus, *run, 0, 1)).collect();
    bus.commit(&commits).await?;

    let mut doomed = bus.recorder("doomed").await?;
    let mut handed_out = 0;
    while handed_out < 60 {
        handed_out += doomed.read(32, DEADLINE).await?.len();
    }
    let lag = doomed.lag().await?;
    assert_eq!(lag.entries, 60);
    assert!(lag.oldest.is_some());
    drop(doomed);

    let mut heir = bus.recorder("heir").await?;
    assert!(heir.read(100, Duration::from_millis(1)).await?.is_empty(), "they are not new");
    assert!(heir.claim(DEADLINE, 100).await?.is_empty(), "they are not stale yet");
    assert_eq!(heir.claim(Duration::ZERO, 7).await?.len(), 7, "no more than asked for");
    let mut claimed = heir.claim(Duration::ZERO, 100).await?;
    claimed.sort_by_key(|entry| entry.event.execution_id);
    assert_eq!(claimed.iter().filter_map(|entry| entry.event.execution_id).collect::<Vec<_>>(), {
        let mut runs = runs.clone();
        runs.sort();
        runs
    });
    assert!(claimed.iter().all(|entry| entry.deliveries >= 2));

    let done: Vec<_> = claimed.into_iter().map(|entry| (entry.partition, entry.entry)).collect();
    heir.ack(&done).await?;
    assert_eq!(heir.lag().await?, RecorderLag::default());
    Ok(())
}

/// A read that was given up blocks on in the background; whoever reads next waits for as long as it says itself.
#[tokio::test]
async fn a_read_waits_no_longer_than_it_says_for_one_that_was_given_up() -> Result<()> {
    let fixture = Fixture::start().await?;
    let bus = &fixture.bus;
    let mut recorder = bus.recorder("writer").await?;
    let patience = Duration::from_millis(20);
    assert!(tokio::time::timeout(patience, recorder.read(10, DEADLINE)).await.is_err(), "there is nothing");
    assert!(tokio::time::timeout(DEADLINE / 2, recorder.read(10, patience)).await??.is_empty());

    bus.commit(&[step(bus, ExecutionId::generate(), 0, 1)]).await?;
    assert_eq!(recorder.read(10, DEADLINE).await?.len(), 1, "what it brings is not lost");
    Ok(())
}
