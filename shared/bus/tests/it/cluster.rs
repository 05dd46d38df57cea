//! A cluster of one node refuses a script whose keys are in different slots, as every cluster does.

use std::time::Duration;

use anyhow::{Context, Result};
use millrace_bus::{
    Bus, BusSettings, CommitOutcome, LineLimit, LineNews, Redone, Report, ResultBounds, ResultKey,
};
use millrace_contracts::job::Priority;
use millrace_contracts::message::{Timer, TimerPurpose};
use millrace_contracts::{ExecutionId, Pool, UnixMillis};
use millrace_testkit::eventually;

use crate::support::{DEADLINE, OwnServer, accepted, free_port, job, start_report, step};

struct Cluster {
    _server: OwnServer,
    url: String,
}

impl Cluster {
    async fn start() -> Result<Self> {
        let (port, bus_port) = (free_port()?.to_string(), free_port()?.to_string());
        let server = OwnServer::start(
            tempfile::tempdir()?,
            &["--cluster-enabled", "yes", "--port", &port, "--cluster-port", &bus_port],
        )?;
        let cluster = Self { _server: server, url: format!("redis://127.0.0.1:{port}") };
        eventually(DEADLINE, "the cluster is up", async || cluster.make_whole().await).await?;
        Ok(cluster)
    }

    async fn make_whole(&self) -> Result<Option<()>> {
        let mut raw = redis::Client::open(self.url.as_str())?.get_multiplexed_async_connection().await?;
        let info: String = redis::cmd("CLUSTER").arg("INFO").query_async(&mut raw).await?;
        if info.contains("cluster_slots_assigned:0") {
            redis::cmd("CLUSTER").arg("ADDSLOTSRANGE").arg(0).arg(16_383).exec_async(&mut raw).await?;
        }
        Ok(info.contains("cluster_state:ok").then_some(()))
    }
}

#[tokio::test]
async fn no_script_leaves_its_slot() -> Result<()> {
    let cluster = Cluster::start().await?;
    // One partition and one queue, so that a blocking read stays in one slot too.
    let bus = Bus::connect(BusSettings { partitions: 1, ..BusSettings::new(&cluster.url) }).await?;
    let partition = bus.all_partitions().next().context("there is one partition")?;
    bus.limit_line(LineLimit { running: 1, reserve: 0 }).await?;
    let run = ExecutionId::generate();
    bus.execute(&accepted(run)).await?;
    bus.cancel(run, "no more").await?;
    bus.wake(run).await?;
    // One more than may run, so that it waits; it is looked for, and then admitted.
    let next = ExecutionId::generate();
    bus.execute(&accepted(next)).await?;
    assert!(bus.place_in_line(next).await?.is_some());
    assert_eq!(bus.line(9).await?.waiting, 1);
    bus.mend_line(Duration::ZERO, Duration::ZERO).await?;
    assert_eq!(
        bus.leave_line(&LineNews { begun: vec![run], ended: vec![run], ..LineNews::default() }).await?,
        1
    );
    let mut commit = step(&bus, run, 0, 1);
    commit.set_timers = vec![(UnixMillis(1), Timer { execution_id: run, purpose: TimerPurpose::RunTimeout })];
    assert_eq!(bus.commit(&[commit]).await?, [CommitOutcome::Committed]);
    assert_eq!(bus.fire_timers(partition, UnixMillis(2), 9).await?.fired, 1);
    assert!(bus.lease_partition(partition, "a", DEADLINE).await?);
    assert!(bus.release_partition(partition, "a").await?);

    let mut inbox = bus.inbox("o1").await?;
    assert_eq!(inbox.read(&[partition], 9, DEADLINE).await?.len(), 5);
    let claimed = inbox.claim(partition, Duration::ZERO, 9).await?;
    bus.bury_message(&claimed[0], "for the test").await?;
    bus.ack("o1", &[(partition, claimed[1].entry.clone())]).await?;
    assert_eq!(bus.inbox_depth().await?, 3);
    let buried = bus.buried(9).await?.remove(0);
    assert_eq!(bus.redo(&buried.at).await?, Redone::PutBack);

    let mut wanted = job("fast", Some("m"), Priority::Normal);
    wanted.reply_to = partition;
    bus.enqueue(&[wanted], &[]).await?;
    // More than are open to all, so that flows take turns; then they are no longer wanted.
    let unwanted = job("fast", Some("m"), Priority::Normal);
    bus.enqueue(&vec![unwanted.clone(); 40], &[]).await?;
    bus.drop_runs(&[unwanted.execution_id]).await?;
    let pools: [Pool; 1] = ["fast".into()];
    let mut queues = bus.queues(&"w1".into()).await?;
    let taken = queues.read(&pools, 1, DEADLINE).await?.remove(0);
    assert!(queues.read(&pools, 1, Duration::from_millis(5)).await?.is_empty());
    assert_eq!(queues.claim_stale(&pools, Duration::ZERO, 1).await?.len(), 1);
    assert_eq!(bus.keep(&"w1".into(), &[(taken.queue.clone(), taken.entry.clone())]).await?, []);
    assert_eq!(bus.queue_depths().await?.iter().map(|depth| depth.pending).sum::<u64>(), 1);
    let (event, message) = start_report(&taken.job);
    let report = Report { job: &taken.job, events: &[event], message: &message };
    bus.report_all(&[report], &[(taken.queue, taken.entry)]).await?;
    bus.tidy().await?;
    let bounds = ResultBounds { time_to_live: DEADLINE, max_entries: 16 };
    let results: Vec<(ResultKey, Vec<u8>)> = (0..64).map(|last| ([last; 32], vec![last])).collect();
    assert_eq!(bus.keep_results(&results, bounds).await?.stored, 64);
    let found = bus.results(&[results[0].0, results[63].0]).await?;
    assert_eq!(found, [None, Some(vec![63])], "one of four is left in each shard");
    Ok(())
}
