use std::time::Duration;

use anyhow::Result;
use millrace_testkit::eventually;

use crate::support::{DEADLINE, Fixture};

#[tokio::test]
async fn a_silent_worker_is_seen_to_be_lost_and_removed_by_one_observer() -> Result<()> {
    let fixture = Fixture::start().await?;
    let bus = &fixture.bus;
    bus.register_worker(&"w1".into(), r#"{"pools":["cpu"]}"#, Duration::from_secs(60)).await?;
    bus.register_worker(&"w2".into(), "{}", Duration::from_millis(1)).await?;
    let fleet = eventually(DEADLINE, "w2 is lost", async || {
        let fleet = bus.workers().await?;
        anyhow::Ok(fleet.iter().any(|worker| worker.info.is_none()).then_some(fleet))
    })
    .await?;
    assert_eq!(fleet.len(), 2);
    let w1 = fleet.iter().find(|worker| worker.id.as_str() == "w1").expect("w1 is registered");
    assert_eq!(w1.info.as_deref(), Some(r#"{"pools":["cpu"]}"#));
    assert!(w1.last_seen.0 > 0);

    assert!(bus.remove_worker(&"w2".into()).await?);
    assert!(!bus.remove_worker(&"w2".into()).await?, "of two observers one reports it");
    assert_eq!(bus.workers().await?.len(), 1);
    Ok(())
}

#[tokio::test]
async fn a_worker_that_leaves_is_never_taken_for_a_silent_one() -> Result<()> {
    let fixture = Fixture::start().await?;
    let bus = &fixture.bus;
    let coming_and_going = async {
        for number in 0..300 {
            let worker = format!("w{number}").into();
            bus.register_worker(&worker, "{}", Duration::from_secs(60)).await?;
            bus.remove_worker(&worker).await?;
        }
        anyhow::Ok(())
    };
    // Several, so that one of them looks between any two steps.
    let looking = async || {
        for _ in 0..300 {
            let fleet = bus.workers().await?;
            anyhow::ensure!(fleet.iter().all(|worker| worker.info.is_some()), "{fleet:?}");
        }
        anyhow::Ok(())
    };
    tokio::try_join!(coming_and_going, looking(), looking(), looking())?;
    Ok(())
}
