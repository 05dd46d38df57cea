use std::time::Duration;

use anyhow::Result;
use millrace_contracts::UnixMillis;
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
