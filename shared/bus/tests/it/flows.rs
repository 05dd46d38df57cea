use std::collections::HashMap;
use std::time::Duration;

use anyhow::Result;
use millrace_bus::{Callers, JobQueues};
use millrace_contracts::job::Priority;
use millrace_contracts::{Flow, Job, ModelId, Pool};
use millrace_testkit::TestRedis;
use proptest::prelude::{Strategy, prop};
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use crate::support::{DEADLINE, Fixture, job};

/// Jobs of a queue that are open to all before flows take turns.
const OPEN: usize = 2;

fn pools() -> [Pool; 1] {
    ["fast".into()]
}

fn of_flow(name: &str, weight: u8) -> Job {
    Job { flow: Flow { id: name.to_owned(), weight }, ..job("fast", Some("m"), Priority::Normal) }
}

async fn fill(fixture: &Fixture, flow: &str, weight: u8, count: usize) -> Result<Vec<Job>> {
    let jobs: Vec<Job> = (0..count).map(|_| of_flow(flow, weight)).collect();
    fixture.bus.enqueue(&jobs, &[]).await?;
    Ok(jobs)
}

/// The flows of the next `count` jobs, taken `max` at a time.
async fn take(queues: &mut JobQueues, count: usize, max: usize) -> Result<Vec<String>> {
    let mut flows = Vec::new();
    while flows.len() < count {
        let found = queues.read(&pools(), max.min(count - flows.len()), Duration::ZERO).await?;
        if found.is_empty() {
            break;
        }
        flows.extend(found.into_iter().map(|delivery| delivery.job.flow.id));
    }
    Ok(flows)
}

#[tokio::test]
async fn a_lone_job_behind_a_batch_waits_for_the_open_jobs_and_one_turn() -> Result<()> {
    let fixture = Fixture::start().await?;
    fill(&fixture, "batch", 1, 5_000).await?;
    fill(&fixture, "lone", 1, 1).await?;
    let mut queues = fixture.bus.queues(&"w1".into()).await?;
    let flows = take(&mut queues, OPEN + 3, 4).await?;
    assert!(flows.contains(&"lone".to_owned()), "{flows:?}");
    Ok(())
}

#[tokio::test]
async fn one_take_brings_jobs_of_several_flows_and_all_of_them_once() -> Result<()> {
    let fixture = Fixture::start().await?;
    let mut wanted = Vec::new();
    for flow in 0..100 {
        wanted.extend(fill(&fixture, &format!("flow-{flow}"), 1, 3).await?);
    }
    let mut queues = fixture.bus.queues(&"w1".into()).await?;
    let mut found = Vec::new();
    loop {
        let jobs = queues.read(&pools(), 64, Duration::ZERO).await?;
        if jobs.is_empty() {
            break;
        }
        found.extend(jobs.into_iter().map(|delivery| delivery.job));
    }
    let key = |job: &Job| job.id.to_string();
    wanted.sort_by_key(key);
    found.sort_by_key(key);
    assert_eq!(found, wanted);
    Ok(())
}

#[tokio::test]
async fn jobs_of_one_flow_keep_their_order() -> Result<()> {
    let fixture = Fixture::start().await?;
    let wanted = fill(&fixture, "only", 3, 300).await?;
    let mut queues = fixture.bus.queues(&"w1".into()).await?;
    let mut found = Vec::new();
    while found.len() < wanted.len() {
        found.extend(queues.read(&pools(), 7, DEADLINE).await?.into_iter().map(|delivery| delivery.job));
    }
    assert_eq!(found, wanted);
    Ok(())
}

#[tokio::test]
async fn a_flow_that_is_done_leaves_nothing_behind() -> Result<()> {
    let fixture = Fixture::start().await?;
    for flow in ["a", "b", "c"] {
        fill(&fixture, flow, 2, 40).await?;
    }
    let depths = fixture.bus.queue_depths().await?;
    assert_eq!((depths[1].waiting, depths[1].pending), (120, 0), "what waits behind the stream counts");
    assert!(depths[1].oldest_ms.is_some_and(|age| age < 60_000));
    let mut queues = fixture.bus.queues(&"w1".into()).await?;
    assert_eq!(take(&mut queues, 121, 50).await?.len(), 120);
    let keys: Vec<String> = fixture.ask("KEYS {mr:q:*").await?;
    assert_eq!(keys, ["{mr:q:fast:m}:normal"]);
    let depths = fixture.bus.queue_depths().await?;
    assert_eq!((depths[1].waiting, depths[1].pending, depths[1].oldest_ms), (0, 120, None));
    Ok(())
}

/// Whoever blocks in Redis sees only the stream: it must hold something as long as anything waits.
#[tokio::test]
async fn a_blocked_worker_is_woken_for_what_waits_behind_the_stream() -> Result<()> {
    let fixture = Fixture::start().await?;
    let mut queues = fixture.bus.queues(&"w1".into()).await?;
    let mut left = 100;
    fill(&fixture, "a", 1, left).await?;
    while left > 0 {
        let untaken: usize = fixture.ask("XLEN {mr:q:fast:m}:normal").await?;
        let depths = fixture.bus.queue_depths().await?;
        assert!(untaken > depths[1].pending as usize, "{left} wait and none is open to all");
        left -= queues.read(&pools(), 9, DEADLINE).await?.len();
    }
    Ok(())
}

#[tokio::test]
async fn jobs_of_a_dropped_run_are_never_given_out() -> Result<()> {
    let fixture = Fixture::start().await?;
    let bus = &fixture.bus;
    let doomed = job("fast", Some("m"), Priority::Normal);
    let of_doomed = |flow: &str| Job { execution_id: doomed.execution_id, ..of_flow(flow, 1) };
    // Some of its jobs are open to all, some wait, one is with a worker that will die, others come too late.
    bus.enqueue(&(0..1_000).map(|_| of_doomed("a")).collect::<Vec<_>>(), &[]).await?;
    let mut dead = bus.queues(&"dead".into()).await?;
    assert_eq!(dead.read(&pools(), 1, DEADLINE).await?[0].job.execution_id, doomed.execution_id);
    let mut wanted = fill(&fixture, "a", 1, 3).await?;
    wanted.extend(fill(&fixture, "b", 1, 3).await?);

    bus.drop_runs(&[doomed.execution_id]).await?;
    bus.enqueue(&[of_doomed("c")], &[]).await?;
    let mut queues = bus.queues(&"w1".into()).await?;
    assert_eq!(queues.claim_stale(&pools(), Duration::ZERO, 9).await?, []);
    let mut found = Vec::new();
    while found.len() < wanted.len() {
        let jobs = queues.read(&pools(), 9, Duration::from_millis(100)).await?;
        assert!(!jobs.is_empty(), "{} of {} came", found.len(), wanted.len());
        found.extend(jobs.into_iter().map(|delivery| delivery.job.id));
    }
    assert!(wanted.iter().all(|job| found.contains(&job.id)), "only and all of the others' jobs come");
    assert!(queues.read(&pools(), 9, Duration::from_millis(5)).await?.is_empty());
    let depths = bus.queue_depths().await?;
    assert_eq!((depths[1].waiting, depths[1].pending), (0, 6));
    Ok(())
}

/// With hands kept for newcomers, a lone job comes at once and alone, past what is open to all; nobody else does, and nothing
/// is lost or given out twice.
#[tokio::test]
async fn a_job_of_a_flow_that_is_not_in_hand_is_taken_past_the_batch() -> Result<()> {
    let fixture = Fixture::start().await?;
    let any = |_: &Pool, _: Option<&ModelId>| usize::MAX;
    let in_hand = ["batch".to_owned()];
    let mut queues = fixture.bus.queues(&"w1".into()).await?;
    let mut wanted = fill(&fixture, "batch", 1, 500).await?;
    assert!(queues.read_newcomers(&any, &in_hand, 4).await?.is_empty());
    let mut found = queues.read(&pools(), 16, Duration::ZERO).await?;

    let lone = fill(&fixture, "lone", 1, 2).await?;
    let newcomers = queues.read_newcomers(&any, &in_hand, 4).await?;
    assert_eq!(newcomers.iter().map(|delivery| &delivery.job).collect::<Vec<_>>(), [&lone[0]]);
    assert_eq!(fixture.bus.queue_depths().await?[1].pending, 17, "the others were not taken");
    let none = |_: &Pool, _: Option<&ModelId>| 0;
    assert!(queues.read_newcomers(&none, &in_hand, 4).await?.is_empty());
    let both_in_hand = ["batch".to_owned(), "lone".to_owned()];
    assert!(queues.read_newcomers(&any, &both_in_hand, 4).await?.is_empty());

    // One that is open to all already is found there.
    found.extend(newcomers);
    wanted.extend(lone);
    loop {
        let jobs = queues.read(&pools(), 64, Duration::ZERO).await?;
        if jobs.is_empty() {
            break;
        }
        found.extend(jobs);
    }
    wanted.extend(fill(&fixture, "late", 1, 1).await?);
    found.extend(queues.read_newcomers(&any, &in_hand, 4).await?);
    let mut found: Vec<Job> = found.into_iter().map(|delivery| delivery.job).collect();
    let key = |job: &Job| job.id.to_string();
    wanted.sort_by_key(key);
    found.sort_by_key(key);
    assert_eq!(found, wanted);
    assert_eq!(fixture.bus.queue_depths().await?[1].waiting, 0);
    Ok(())
}

#[tokio::test]
async fn a_flow_calls_that_begins_to_wait_while_others_have_jobs_and_no_other_does() -> Result<()> {
    let fixture = Fixture::start().await?;
    let mut queues = fixture.bus.queues(&"w1".into()).await?;
    let callers = queues.callers();
    fill(&fixture, "batch", 1, 100).await?;
    fill(&fixture, "batch", 1, 100).await?;
    // What was published before has arrived when this has.
    fill(&fixture, "lone", 1, 1).await?;
    heard(&callers).await?;
    assert!(!callers.any_beside(|| vec!["lone".to_owned()]), "an empty queue, or a flow that waits already");

    // Behind what is in hand as well, with nothing else waiting.
    while !queues.read(&pools(), 64, Duration::ZERO).await?.is_empty() {}
    callers.answer(&[]);
    fill(&fixture, "late", 1, 1).await?;
    heard(&callers).await?;
    assert!(!callers.any_beside(|| vec!["late".to_owned()]));
    Ok(())
}

/// Waits until somebody has called.
async fn heard(callers: &Callers) -> Result<()> {
    let heard = async {
        while !callers.any_beside(Vec::new) {
            callers.heard().await;
        }
    };
    tokio::time::timeout(DEADLINE, heard).await?;
    Ok(())
}

/// Weighted turns: whoever always has something waiting is served by its weight, over any stretch and however many are
/// taken at a time, to within one round.
#[tokio::test]
async fn flows_are_served_by_their_weights_over_any_stretch() -> Result<()> {
    let redis = TestRedis::start().await?;
    let mut runner = TestRunner::deterministic();
    let cases = (prop::collection::vec(1_u8..=16, 2..6), 1_usize..40);
    for case in 0..12 {
        let (weights, max) = cases.new_tree(&mut runner).expect("a case").current();
        let bus = millrace_bus::Bus::connect(millrace_bus::BusSettings {
            prefix: format!("case{case}"),
            ..millrace_bus::BusSettings::new(redis.url())
        });
        let bus = bus.await?;
        let mut open: Vec<Job> = (0..OPEN).map(|_| of_flow("first", 1)).collect();
        for (flow, weight) in weights.iter().enumerate() {
            open.extend((0..400).map(|_| of_flow(&flow.to_string(), *weight)));
        }
        bus.enqueue(&open, &[]).await?;
        let mut queues = bus.queues(&"w1".into()).await?;
        take(&mut queues, OPEN, OPEN).await?;

        let round: usize = weights.iter().copied().map(usize::from).sum();
        let stretch = take(&mut queues, 300, max).await?;
        for from in [0, 37, 150] {
            let mut served: HashMap<&str, usize> = HashMap::new();
            for flow in &stretch[from..] {
                *served.entry(flow).or_default() += 1;
            }
            for (flow, weight) in weights.iter().enumerate() {
                let got = served.get(flow.to_string().as_str()).copied().unwrap_or(0) as f64;
                let due = (stretch.len() - from) as f64 * f64::from(*weight) / round as f64;
                let slack = f64::from(*weight) + 1.0;
                assert!((got - due).abs() <= slack, "flow {flow} of {weights:?}: {got}, due {due}, at {max}");
            }
        }
    }
    Ok(())
}
