//! Measurements measure, and leave nothing behind.

use anyhow::Result;

use crate::support::Fixture;

#[tokio::test]
async fn measurements_give_one_time_per_round_and_leave_no_key() -> Result<()> {
    let fixture = Fixture::start().await?;
    let before = fixture.bus.server_counters().await?;
    assert_eq!(fixture.bus.measure_publish(5).await?.len(), 5);
    assert_eq!(fixture.bus.measure_append(5).await?.len(), 5);
    let after = fixture.bus.server_counters().await?;
    let calls =
        |name: &str| after.commands[name].calls - before.commands.get(name).map_or(0, |count| count.calls);
    assert_eq!((calls("publish"), calls("xadd")), (5, 5));
    assert!(after.process_id > 0 && !after.version.is_empty());
    assert_eq!(fixture.ask::<Vec<String>>("KEYS *measure*").await?, Vec::<String>::new());
    Ok(())
}
