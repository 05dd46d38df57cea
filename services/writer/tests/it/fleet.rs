use std::time::Duration;

use anyhow::Result;
use millrace_contracts::event::Source;
use millrace_contracts::{Event, EventType, UnixMillis};
use millrace_store::WorkerStatus;
use millrace_testkit::eventually;
use serde_json::json;

use crate::support::{DEADLINE, Fixture, settings};

#[tokio::test(flavor = "multi_thread")]
async fn the_fleet_is_recorded_while_it_lives_and_when_it_leaves() -> Result<()> {
    let fixture = Fixture::start().await?;
    let started_at = UnixMillis(UnixMillis::now().0 - 60_000);
    let info = json!({"pools": ["fast"], "started_at": started_at, "busy_ms": 15_000, "version": "1.2.3"});
    fixture.bus.register_worker(&"w1".into(), &info.to_string(), Duration::from_secs(60)).await?;
    fixture.bus.register_worker(&"odd".into(), "{}", Duration::from_secs(60)).await?;
    let mut settings = settings();
    settings.fleet_interval = Duration::from_millis(20);
    let writer = fixture.writer(settings);
    let only = async || {
        let mut workers = fixture.store.workers().list(10).await?;
        anyhow::ensure!(workers.len() < 2, "a worker that cannot be read is left out");
        anyhow::Ok(workers.pop())
    };
    let recorded = eventually(DEADLINE, "the worker is recorded", only).await?;
    assert_eq!(
        (recorded.id.as_str(), recorded.status, recorded.busy_ms),
        ("w1", WorkerStatus::Active, 15_000)
    );
    assert_eq!((recorded.started_at, recorded.version.as_deref()), (started_at, Some("1.2.3")));
    fixture.bus.remove_worker(&"w1".into()).await?;
    eventually(DEADLINE, "the worker is recorded as stopped", async || {
        anyhow::Ok(only().await?.filter(|worker| worker.status == WorkerStatus::Stopped))
    })
    .await?;
    writer.stop().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_is_said_to_be_lost_did_not_stop() -> Result<()> {
    let fixture = Fixture::start().await?;
    let info = json!({"pools": ["fast"], "started_at": UnixMillis::now()});
    fixture.bus.register_worker(&"w1".into(), &info.to_string(), Duration::from_secs(600)).await?;
    let mut settings = settings();
    settings.fleet_interval = Duration::from_millis(20);
    let writer = fixture.writer(settings);
    let is = async |status: WorkerStatus| {
        let workers = fixture.store.workers().list(10).await?;
        anyhow::Ok(workers.into_iter().find(|worker| worker.status == status).map(drop))
    };
    eventually(DEADLINE, "the worker is recorded", async || is(WorkerStatus::Active).await).await?;
    // While nobody looks, as with a writer that is away: what leaves the list seems to have left in order.
    fixture.bus.remove_worker(&"w1".into()).await?;
    eventually(DEADLINE, "it seems to have stopped", async || is(WorkerStatus::Stopped).await).await?;
    let data = json!({"worker_id": "w1", "last_seen": UnixMillis::now()});
    let lost = Event::new(EventType::WorkerLost, Source::Orchestrator, "x".into(), UnixMillis::now(), data);
    fixture.bus.tell_recorded(&lost).await?;
    eventually(DEADLINE, "it is recorded as lost", async || is(WorkerStatus::Lost).await).await?;
    writer.stop().await
}
