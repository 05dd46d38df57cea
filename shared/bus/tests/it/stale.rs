use std::time::Duration;

use anyhow::Result;
use millrace_bus::{Chance, JobDelivery};
use millrace_contracts::Pool;
use millrace_contracts::job::Priority;
use millrace_testkit::eventually;

use crate::support::{DEADLINE, Fixture, job};

const AT_ONCE: Duration = Duration::ZERO;

#[tokio::test]
async fn a_dead_workers_jobs_are_taken_over_with_their_delivery_counts() -> Result<()> {
    let fixture = Fixture::start().await?;
    let bus = &fixture.bus;
    let pools: [Pool; 2] = ["fast".into(), "cpu".into()];
    let jobs: Vec<_> = (0..12)
        .map(|at| job(if at % 2 == 0 { "fast" } else { "cpu" }, Some("m"), Priority::ALL[at % 3]))
        .collect();
    bus.enqueue(&jobs, &[]).await?;
    let mut doomed = bus.queues(&"doomed".into()).await?;
    assert_eq!(doomed.read(&pools, 64, Duration::ZERO).await?.len(), 12);
    drop(doomed);

    for (deliveries, worker) in [(2, "w2"), (3, "w3")] {
        let mut heir = bus.queues(&worker.into()).await?;
        assert!(heir.claim_stale(&pools, DEADLINE, 64).await?.is_empty(), "not stale yet");
        let stale = heir.claim_stale(&pools, AT_ONCE, 64).await?;
        assert_eq!(stale.len(), 12);
        assert!(stale.iter().all(|delivery| delivery.deliveries == deliveries), "{stale:?}");
        assert!(stale.iter().all(|delivery| jobs.contains(&delivery.job)));
    }
    let bounded = bus.queues(&"w4".into()).await?.claim_stale(&pools, AT_ONCE, 5).await?;
    assert_eq!(bounded.len(), 5);
    Ok(())
}

#[tokio::test]
async fn a_job_that_is_kept_is_not_taken_over_and_one_taken_over_is_not_taken_back() -> Result<()> {
    let fixture = Fixture::start().await?;
    let bus = &fixture.bus;
    let pools: [Pool; 1] = ["fast".into()];
    bus.enqueue(&[job("fast", None, Priority::Normal)], &[]).await?;
    let mut holder = bus.queues(&"holder".into()).await?;
    let held = holder.read(&pools, 1, DEADLINE).await?;
    let held = [(held[0].queue.clone(), held[0].entry.clone())];
    let stream = "{mr:q:fast:-}:normal";
    eventually(DEADLINE, "the claim ages", async || {
        let pending: Vec<(String, String, u64, u64)> =
            fixture.ask(&format!("XPENDING {stream} workers - + 1")).await?;
        anyhow::Ok((pending[0].2 >= 200).then_some(()))
    })
    .await?;
    assert_eq!(bus.keep(&"holder".into(), &held).await?, []);
    let pending: Vec<(String, String, u64, u64)> =
        fixture.ask(&format!("XPENDING {stream} workers - + 1")).await?;
    assert!(pending[0].2 < 200, "keeping makes the claim fresh");
    assert_eq!(pending[0].3, 1, "keeping is not a delivery");

    let mut heir = bus.queues(&"heir".into()).await?;
    assert_eq!(heir.claim_stale(&pools, AT_ONCE, 1).await?.len(), 1);
    assert_eq!(bus.keep(&"holder".into(), &held).await?, held, "the holder is told that it lost the job");
    assert_eq!(bus.keep(&"heir".into(), &held).await?, []);
    bus.ack_jobs(&held).await?;
    assert_eq!(bus.keep(&"heir".into(), &held).await?, held, "what is done is not kept");
    Ok(())
}

#[tokio::test]
async fn jobs_on_their_last_chance_are_left_until_they_are_asked_for() -> Result<()> {
    let fixture = Fixture::start().await?;
    let bus = &fixture.bus;
    let pools: [Pool; 1] = ["fast".into()];
    // More than one look brings, and the others behind them.
    let jobs: Vec<_> = (0..70).map(|_| job("fast", None, Priority::Normal)).collect();
    bus.enqueue(&jobs, &[]).await?;
    let mut doomed = bus.queues(&"doomed".into()).await?;
    let held = doomed.read(&pools, 70, DEADLINE).await?;
    assert_eq!(doomed.claim_stale(&pools, AT_ONCE, 66).await?.len(), 66);

    let mut heir = bus.queues(&"heir".into()).await?;
    let look = heir.take_over(&pools, (AT_ONCE, 0), Chance::But(3), &[]).await?;
    assert!(look.jobs.is_empty() && look.left == pools);
    assert!(
        heir.take_over(&pools, (AT_ONCE, 0), Chance::But(4), &[]).await?.left.is_empty(),
        "none was handed out so often"
    );
    let others = heir.take_over(&pools, (AT_ONCE, 64), Chance::But(3), &[]).await?;
    let entries = |jobs: &[JobDelivery]| jobs.iter().map(|one| one.entry.clone()).collect::<Vec<_>>();
    assert_eq!(entries(&others.jobs), entries(&held[66..]));
    assert!(others.left == pools && others.jobs.iter().all(|one| one.deliveries == 2));

    let last = heir.take_over(&pools, (AT_ONCE, 1), Chance::Only(3), &[]).await?;
    assert_eq!((entries(&last.jobs), last.jobs[0].deliveries), (entries(&held[..1]), 3));
    assert!(heir.take_over(&pools, (AT_ONCE, 9), Chance::Only(9), &[]).await?.jobs.is_empty());
    Ok(())
}

#[tokio::test]
async fn what_a_worker_has_in_hand_it_does_not_take_over_itself() -> Result<()> {
    let fixture = Fixture::start().await?;
    let bus = &fixture.bus;
    let pools: [Pool; 1] = ["fast".into()];
    let urgency = [Priority::High, Priority::Normal, Priority::Normal];
    bus.enqueue(&urgency.map(|priority| job("fast", Some("m"), priority)), &[]).await?;
    let mut own = bus.queues(&"own".into()).await?;
    let held = own.read(&pools, 3, DEADLINE).await?;
    assert_eq!(held.len(), 3);
    // The last of them it was given, and does not know of: its answer was lost.
    let place = |one: &JobDelivery| (one.queue.clone(), one.entry.clone());
    let (in_hand, lost) = ([place(&held[0]), place(&held[1])], place(&held[2]));
    let found = own.take_over(&pools, (AT_ONCE, 9), Chance::Any, &in_hand).await?.jobs;
    assert_eq!((found.len(), place(&found[0]), found[0].deliveries), (1, lost, 2));
    let look = own.take_over(&pools, (AT_ONCE, 0), Chance::But(2), &in_hand).await?;
    assert!(look.left.is_empty(), "what is in hand has no last chance to wait for");

    let mut heir = bus.queues(&"heir".into()).await?;
    let all = heir.claim_stale(&pools, AT_ONCE, 9).await?;
    let deliveries: Vec<_> = all.iter().map(|one| (place(one), one.deliveries)).collect();
    let expected: Vec<_> = held.iter().map(place).zip([2, 2, 3]).collect();
    assert_eq!(deliveries, expected, "what was left alone was not counted");
    Ok(())
}

#[tokio::test]
async fn a_dead_workers_jobs_are_found_among_many_queues() -> Result<()> {
    let fixture = Fixture::start().await?;
    let bus = &fixture.bus;
    let pools: [Pool; 1] = ["fast".into()];
    let models: Vec<String> = (0..150).map(|number| format!("m-{number:03}")).collect();
    let jobs: Vec<_> = models.iter().map(|model| job("fast", Some(model), Priority::Normal)).collect();
    bus.enqueue(&jobs, &[]).await?;
    let mut doomed = bus.queues(&"doomed".into()).await?;
    let mut taken = 0;
    while taken < jobs.len() {
        taken += doomed.read(&pools, jobs.len(), DEADLINE).await?.len();
    }
    let mut heir = bus.queues(&"heir".into()).await?;
    let first = heir.claim_stale(&pools, AT_ONCE, 100).await?;
    let done: Vec<_> = first.iter().map(|one| (one.queue.clone(), one.entry.clone())).collect();
    assert_eq!(done.len(), 100);
    bus.ack_jobs(&done).await?;
    let rest = heir.claim_stale(&pools, AT_ONCE, 100).await?;
    let names =
        |jobs: &[JobDelivery]| jobs.iter().filter_map(|one| one.queue.model.clone()).collect::<Vec<_>>();
    let found: Vec<_> =
        names(&first).into_iter().chain(names(&rest)).map(|model| model.to_string()).collect();
    assert_eq!(found, models);
    Ok(())
}
