//! What a commit costs, beside the limits of the Redis it runs on. Starts a Redis of its own:
//! `cargo bench -p millrace-bus`.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use millrace_bus::{Bus, BusSettings, Commit, CommitOutcome};
use millrace_contracts::event::Source;
use millrace_contracts::message::{Timer, TimerPurpose};
use millrace_contracts::{Event, EventType, ExecutionId, UnixMillis};
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
fn commit(bus: &Bus, run: ExecutionId) -> Commit {
    let mut commit = Commit::new(run, bus.partition_of(run), 0);
    commit.set = ["meta", "n:detect", "n:draw"].map(|field| (field.into(), vec![b'x'; 300])).into();
    commit.durable = vec![event(EventType::NodeCompleted, run, Some(1))];
    commit.records = vec![event(EventType::InferenceQueued, run, None)];
    commit.live = vec![event(EventType::NodeQueued, run, None)];
    commit.set_timers = vec![(UnixMillis(1), Timer { execution_id: run, purpose: TimerPurpose::RunTimeout })];
    commit.expire_after = Some(std::time::Duration::from_millis(200));
    commit
}

fn commits(criterion: &mut Criterion, bench: &Bench) {
    let mut group = criterion.benchmark_group("commit");
    for batch in BATCHES {
        group.throughput(Throughput::Elements(batch as u64));
        group.bench_function(BenchmarkId::from_parameter(batch), |bencher| {
            let fresh =
                || (0..batch).map(|_| commit(&bench.bus, ExecutionId::generate())).collect::<Vec<_>>();
            bencher.iter_batched(
                fresh,
                |commits| {
                    let outcomes = bench.runtime.block_on(bench.bus.commit(&commits)).expect("Redis answers");
                    assert!(outcomes.iter().all(|outcome| *outcome == CommitOutcome::Committed));
                },
                criterion::BatchSize::PerIteration,
            );
        });
        // The events are of no use here and would fill the memory.
        bench.runtime.block_on(flush(bench));
    }
    group.finish();
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

fn all(criterion: &mut Criterion) {
    let bench = Bench::start();
    limits(criterion, &bench);
    commits(criterion, &bench);
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
