//! What a commit and a job cost, beside the limits of the Redis it runs on. Starts a Redis of its own:
//! `cargo bench -p millrace-bus`.
#![expect(clippy::print_stdout, reason = "a bench prints its figures")]

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use millrace_bus::{
    Bus, BusError, BusSettings, Commit, CommitOutcome, Inbox, JobDelivery, JobQueues, Report,
};
use millrace_contracts::event::Source;
use millrace_contracts::message::{Message, Timer, TimerPurpose};
use millrace_contracts::{Event, EventType, ExecutionId, ItemPath, Job, JobId, Partition, Pool, UnixMillis};
use millrace_testkit::TestRedis;
use redis::aio::MultiplexedConnection;
use serde_json::json;
use tokio::runtime::Runtime;

/// Commands in one pipeline.
const BATCHES: [usize; 3] = [1, 16, 128];

struct Bench {
    runtime: Runtime,
    _redis: TestRedis,
    bus: Bus,
    raw: MultiplexedConnection,
}

impl Bench {
    fn start() -> Self {
        let runtime = Runtime::new().expect("a runtime starts");
        let started = runtime.block_on(async {
            let redis = TestRedis::start().await?;
            let bus = Bus::connect(BusSettings::new(redis.url())).await?;
            let raw = redis::Client::open(redis.url())?.get_multiplexed_async_connection().await?;
            anyhow::Ok((redis, bus, raw))
        });
        let (redis, bus, raw) = started.expect("redis-server is installed");
        Self { runtime, _redis: redis, bus, raw }
    }
}

fn event(kind: EventType, run: ExecutionId, seq: Option<u64>) -> Event {
    let data = json!({
        "node_id": "detect", "block": "detection@1", "status": "completed", "attempt": 1,
        "outputs": {"count": 3, "detections": {"items": [{"class": "circle", "confidence": 0.9, "bbox": [1, 2, 3, 4]}]}},
        "queued_at": 1_700_000_000_000_i64, "started_at": 1_700_000_000_010_i64, "completed_at": 1_700_000_000_030_i64
    });
    let mut event = Event::new(kind, Source::Orchestrator, format!("{run}/{seq:?}"), UnixMillis::now(), data);
    event.execution_id = Some(run);
    event.node_id = Some("detect".into());
    event.epoch = seq.map(|_| 1);
    event.seq = seq;
    event
}

/// A usual step: one node ends and the next is queued.
fn commit(bus: &Bus, run: ExecutionId, version: u64) -> Commit {
    let mut commit = Commit::new(run, bus.partition_of(run), version);
    commit.set = ["meta", "n:detect", "n:draw"].map(|field| (field.into(), vec![b'x'; 300])).into();
    commit.durable = vec![event(EventType::NodeCompleted, run, Some(version + 1))];
    commit.records = vec![event(EventType::InferenceQueued, run, None)];
    commit.live = vec![(1, event(EventType::NodeQueued, run, None))];
    commit.set_timers = vec![(UnixMillis(1), Timer { execution_id: run, purpose: TimerPurpose::RunTimeout })];
    commit
}

/// Steps of runs that are under way: version 1 to 2, 2 to 3 and so on.
fn commits(criterion: &mut Criterion, bench: &Bench) {
    let mut group = criterion.benchmark_group("commit");
    for batch in BATCHES {
        let runs: Vec<_> = (0..batch).map(|_| ExecutionId::generate()).collect();
        let mut version = 0;
        group.throughput(Throughput::Elements(batch as u64));
        group.bench_function(BenchmarkId::from_parameter(batch), |bencher| {
            bencher.iter_batched(
                || {
                    version += 1;
                    runs.iter().map(|run| commit(&bench.bus, *run, version - 1)).collect::<Vec<_>>()
                },
                |commits| {
                    let outcomes = bench.runtime.block_on(bench.bus.commit(&commits)).expect("Redis answers");
                    assert!(outcomes.iter().all(|outcome| *outcome == CommitOutcome::Committed));
                },
                criterion::BatchSize::PerIteration,
            );
        });
        println!(
            "inside Redis, commits of {batch} in a pipeline: {}",
            bench.runtime.block_on(script_cost(bench))
        );
        // The events are of no use here and would fill the memory.
        bench.runtime.block_on(flush(bench));
    }
    group.finish();
}

/// Redis's own count of its scripts: calls and microseconds each.
async fn script_cost(bench: &Bench) -> String {
    let mut raw = bench.raw.clone();
    let info = redis::cmd("INFO").arg("commandstats").query_async::<String>(&mut raw).await;
    redis::cmd("CONFIG").arg("RESETSTAT").exec_async(&mut raw).await.expect("Redis answers");
    let info = info.expect("Redis answers");
    info.lines().filter(|line| line.starts_with("cmdstat_evalsha")).collect()
}

async fn flush(bench: &Bench) {
    let mut raw = bench.raw.clone();
    redis::cmd("FLUSHALL").exec_async(&mut raw).await.expect("Redis answers");
}

fn limits(criterion: &mut Criterion, bench: &Bench) {
    let json = serde_json::to_vec(&event(EventType::NodeCompleted, ExecutionId::generate(), Some(1)));
    let json = json.expect("an event serialises");
    let mut ping = redis::cmd("PING");
    let mut xadd = redis::cmd("XADD");
    xadd.arg("limit").arg("*").arg("e").arg(&json);
    for (name, command) in [("raw PING", ping.take()), ("raw XADD", xadd.take())] {
        let mut group = criterion.benchmark_group(name);
        for batch in BATCHES {
            let mut pipeline = redis::Pipeline::with_capacity(batch);
            for _ in 0..batch {
                pipeline.add_command(command.clone());
            }
            group.throughput(Throughput::Elements(batch as u64));
            group.bench_function(BenchmarkId::from_parameter(batch), |bencher| {
                let mut raw = bench.raw.clone();
                bencher.iter(|| {
                    let replies = bench.runtime.block_on(pipeline.query_async::<Vec<redis::Value>>(&mut raw));
                    black_box(replies.expect("Redis answers"));
                });
            });
            bench.runtime.block_on(flush(bench));
        }
        group.finish();
    }
}

/// A job's whole way: enqueued and announced, taken, reported, acknowledged; and its report read and acknowledged.
fn jobs(criterion: &mut Criterion, bench: &Bench) {
    let mut group = criterion.benchmark_group("job");
    let pools: [Pool; 1] = ["cpu".into()];
    let (queues, inbox) = bench
        .runtime
        .block_on(async { (bench.bus.queues(&"bench".into()).await, bench.bus.inbox("bench").await) });
    let (mut queues, mut inbox) = (queues.expect("Redis answers"), inbox.expect("Redis answers"));
    for batch in BATCHES {
        let jobs: Vec<Job> = (0..batch).map(|_| job()).collect();
        let events: Vec<Event> =
            jobs.iter().map(|job| event(EventType::InferenceQueued, job.execution_id, None)).collect();
        group.throughput(Throughput::Elements(batch as u64));
        group.bench_function(BenchmarkId::from_parameter(batch), |bencher| {
            bencher.iter(|| {
                let way = whole_way(&bench.bus, (&mut queues, &mut inbox), &pools, (&jobs, &events));
                bench.runtime.block_on(way).expect("Redis answers");
            });
        });
    }
    group.finish();
}

async fn whole_way(
    bus: &Bus,
    (queues, inbox): (&mut JobQueues, &mut Inbox),
    pools: &[Pool],
    (jobs, events): (&[Job], &[Event]),
) -> Result<(), BusError> {
    let block = std::time::Duration::from_secs(1);
    bus.enqueue(jobs, events).await?;
    let mut done = 0;
    while done < jobs.len() {
        let taken = queues.read(pools, jobs.len(), block).await?;
        let messages: Vec<Message> =
            taken.iter().map(|taken| Message::Wake { execution_id: taken.job.execution_id }).collect();
        let report = |(taken, message)| {
            let JobDelivery { job, .. }: &JobDelivery = taken;
            Report { job, events: &events[..1], message }
        };
        let reports: Vec<Report<'_>> = taken.iter().zip(&messages).map(report).collect();
        bus.report_all(&reports, &[]).await?;
        done += taken.len();
        let ended: Vec<_> = taken.into_iter().map(|taken| (taken.queue, taken.entry)).collect();
        bus.ack_jobs(&ended).await?;
    }
    let mut read = 0;
    while read < jobs.len() {
        let messages = inbox.read(&[Partition(0)], jobs.len(), block).await?;
        read += messages.len();
        let done: Vec<_> = messages.into_iter().map(|m| (m.partition, m.entry)).collect();
        bus.ack("bench", &done).await?;
    }
    Ok(())
}

fn job() -> Job {
    let text = json!({
        "id": JobId::of(ExecutionId::generate(), &"draw".into(), &ItemPath::root(), 1),
        "execution_id": ExecutionId::generate(), "node_id": "draw", "attempt": 1, "task": "draw_boxes@1",
        "pool": "cpu", "inputs": {"count": 3}, "config": {"width": 2}, "queued_at": 1_700_000_000_000_i64,
        "reply_to": 0
    });
    serde_json::from_value(text).expect("it is a job")
}

fn all(criterion: &mut Criterion) {
    let bench = Bench::start();
    limits(criterion, &bench);
    commits(criterion, &bench);
    jobs(criterion, &bench);
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(30)
        .warm_up_time(std::time::Duration::from_secs(1))
        .measurement_time(std::time::Duration::from_secs(3));
    targets = all
}
criterion_main!(benches);
