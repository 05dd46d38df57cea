use std::collections::{HashMap, HashSet};
use std::time::Duration;

use anyhow::Result;
use millrace_contracts::Pool;
use millrace_contracts::job::Priority;

use crate::support::{DEADLINE, Fixture, job};

async fn fill(fixture: &Fixture, model: Option<&str>, priority: Priority, count: usize) -> Result<()> {
    let jobs: Vec<_> = (0..count).map(|_| job("fast", model, priority)).collect();
    Ok(fixture.bus.enqueue(&jobs, &[]).await?)
}

#[tokio::test]
async fn urgent_jobs_go_first_and_the_others_still_get_their_share() -> Result<()> {
    for max in [1, 16] {
        let fixture = Fixture::start().await?;
        let pools: [Pool; 1] = ["fast".into()];
        for priority in Priority::ALL {
            fill(&fixture, None, priority, 200).await?;
        }
        let mut queues = fixture.bus.queues(&"w1".into()).await?;
        let mut taken: HashMap<Priority, usize> = HashMap::new();
        for _ in 0..160 / max {
            for delivery in queues.read(&pools, max, Duration::ZERO).await? {
                *taken.entry(delivery.job.priority).or_default() += 1;
            }
        }
        assert!(taken[&Priority::High] >= 120, "high goes first: {taken:?} at {max}");
        assert!(taken[&Priority::Normal] >= 15, "normal is not starved: {taken:?} at {max}");
        assert!(taken[&Priority::Low] >= 8, "low is not starved: {taken:?} at {max}");
        assert_eq!(taken.values().sum::<usize>(), 160, "never more than asked for, never less than there is");
    }
    Ok(())
}

#[tokio::test]
async fn without_urgent_jobs_the_others_have_all_the_room() -> Result<()> {
    let fixture = Fixture::start().await?;
    let pools: [Pool; 1] = ["fast".into()];
    fill(&fixture, None, Priority::Low, 30).await?;
    let found = fixture.bus.queues(&"w1".into()).await?.read(&pools, 32, Duration::ZERO).await?;
    assert_eq!(found.len(), 30);
    Ok(())
}

#[tokio::test]
async fn queues_take_turns_whatever_the_room() -> Result<()> {
    for (max, reads) in [(1, 20), (3, 20), (64, 7)] {
        let fixture = Fixture::start().await?;
        let pools: [Pool; 1] = ["fast".into()];
        let models = ["a", "b", "c", "d", "e"];
        fill(&fixture, Some("a"), Priority::High, 500).await?;
        for model in &models[1..] {
            fill(&fixture, Some(model), Priority::Normal, 2).await?;
        }
        let mut queues = fixture.bus.queues(&"w1".into()).await?;
        let mut served = HashSet::new();
        for _ in 0..reads {
            let found = queues.read(&pools, max, DEADLINE).await?;
            assert!((1..=max).contains(&found.len()), "{} of {max}", found.len());
            served.extend(found.into_iter().filter_map(|delivery| delivery.queue.model));
        }
        assert_eq!(
            served.len(),
            models.len(),
            "one flooded queue does not starve the rest at {max}: {served:?}"
        );
    }
    Ok(())
}
