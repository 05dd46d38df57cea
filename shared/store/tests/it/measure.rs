//! Measurements measure.

use anyhow::Result;

use crate::support::Fixture;

#[tokio::test]
async fn a_measured_commit_writes_ahead() -> Result<()> {
    let fixture = Fixture::start().await?;
    let before = fixture.store.server_counters().await?;
    assert_eq!(fixture.store.measure_commit(3).await?.len(), 3);
    let after = fixture.store.server_counters().await?;
    assert!(after.wal_bytes > before.wal_bytes);
    assert!(after.backend_process_id > 0 && !after.version.is_empty());
    Ok(())
}
