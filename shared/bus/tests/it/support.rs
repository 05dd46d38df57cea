//! A bus on a server of its own, and the values that tests send over it.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result};
use millrace_bus::{Bus, BusSettings, Commit, Delivery, Inbox, LineLimit};
use millrace_contracts::event::Source;
use millrace_contracts::job::{JobOutcome, ModelRef, Priority};
use millrace_contracts::message::{Accepted, Message};
use millrace_contracts::{
    Event, EventType, ExecutionId, Flow, ItemPath, Job, JobId, JobReport, Partition, UnixMillis,
};
use millrace_testkit::{TestRedis, accepted_run};
use redis::FromRedisValue;
use redis::aio::MultiplexedConnection;
use serde_json::{Map, json};
use tempfile::TempDir;

/// Nothing here takes this long unless it never happens.
pub(crate) const DEADLINE: Duration = Duration::from_secs(20);

pub(crate) struct Fixture {
    pub(crate) redis: TestRedis,
    pub(crate) bus: Bus,
}

impl Fixture {
    pub(crate) async fn start() -> Result<Self> {
        let redis = TestRedis::start().await?;
        let bus = Bus::connect(BusSettings::new(redis.url())).await?;
        bus.limit_line(LineLimit { running: 1_000, reserve: 0 }).await?;
        Ok(Self { redis, bus })
    }

    /// A connection past the bus, to look and to do damage.
    pub(crate) async fn raw(&self) -> Result<MultiplexedConnection> {
        Ok(redis::Client::open(self.redis.url())?.get_multiplexed_async_connection().await?)
    }

    /// One command past the bus.
    pub(crate) async fn ask<T: FromRedisValue>(&self, command: &str) -> Result<T> {
        let mut words = command.split(' ');
        let mut request = redis::cmd(words.next().unwrap_or_default());
        for word in words {
            request.arg(word);
        }
        Ok(request.query_async(&mut self.raw().await?).await?)
    }
}

/// A server that is not like the others.
pub(crate) struct OwnServer {
    process: Child,
    _folder: TempDir,
}

impl OwnServer {
    /// Starts it in `folder`, with these words in its command line beside the usual ones.
    pub(crate) fn start(folder: TempDir, words: &[&str]) -> Result<Self> {
        let process = Command::new("redis-server")
            .args(["--bind", "127.0.0.1", "--save", ""])
            .args(words)
            .current_dir(folder.path())
            .stdout(Stdio::null())
            .spawn()
            .context("redis-server must be installed")?;
        Ok(Self { process, _folder: folder })
    }
}

impl Drop for OwnServer {
    fn drop(&mut self) {
        if self.process.kill().is_ok() {
            drop(self.process.wait());
        }
    }
}

pub(crate) fn free_port() -> Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// Reads until `wanted` messages are there.
pub(crate) async fn read_messages(
    inbox: &mut Inbox,
    partitions: &[Partition],
    wanted: usize,
) -> Result<Vec<Delivery>> {
    let mut found = Vec::new();
    tokio::time::timeout(DEADLINE, async {
        while found.len() < wanted {
            found.extend(inbox.read(partitions, 64, Duration::from_millis(200)).await?);
        }
        anyhow::Ok(found)
    })
    .await?
}

pub(crate) fn accepted(run: ExecutionId) -> Accepted {
    Accepted { execution_id: run, input: Map::new(), ..accepted_run() }
}

/// A durable event of `run` at `seq` of epoch 1.
pub(crate) fn durable(run: ExecutionId, seq: u64) -> Event {
    let mut event = live(EventType::NodeCompleted, run);
    event.id = format!("{run}/1-{seq}");
    event.epoch = Some(1);
    event.seq = Some(seq);
    event
}

pub(crate) fn live(kind: EventType, run: ExecutionId) -> Event {
    let id = format!("{run}/{}", kind.sse_name());
    let mut event = Event::new(kind, Source::Orchestrator, id, UnixMillis::now(), json!({"n": 1}));
    event.execution_id = Some(run);
    event
}

/// A commit of `run` from `version` that writes one field and one durable event at `seq`.
pub(crate) fn step(bus: &Bus, run: ExecutionId, version: u64, seq: u64) -> Commit {
    let mut commit = Commit::new(run, bus.partition_of(run), version);
    commit.set.push(("n:detect".into(), format!("state {seq}").into_bytes()));
    commit.durable.push(durable(run, seq));
    commit
}

pub(crate) fn job(pool: &str, model: Option<&str>, priority: Priority) -> Job {
    let execution_id = ExecutionId::generate();
    let path = ItemPath::root();
    Job {
        id: JobId::of(execution_id, &"detect".into(), &path, 1),
        execution_id,
        workflow_id: None,
        node_id: "detect".into(),
        path,
        attempt: 1,
        task: "detection@1".into(),
        model: model.map(|id| ModelRef { id: id.into(), source: "pretrained".into(), digest: None }),
        pool: pool.into(),
        priority,
        flow: Flow::default(),
        inputs: Map::new(),
        config: Map::new(),
        then: Vec::new(),
        queued_at: UnixMillis::now(),
        deadline: None,
        traceparent: None,
        reply_to: Partition(3),
        outlives_run: false,
    }
}

/// `job`'s start as it is reported.
pub(crate) fn start_report(job: &Job) -> (Event, Message) {
    let report = JobReport {
        job_id: job.id,
        task: job.task.clone(),
        model_id: None,
        worker_id: "w1".into(),
        started_at: UnixMillis::now(),
        ended_at: None,
        outcome: JobOutcome::Started,
    };
    let message = Message::Report {
        execution_id: job.execution_id,
        node_id: job.node_id.clone(),
        path: job.path.clone(),
        attempt: job.attempt,
        at: UnixMillis::now(),
        report: Box::new(report),
        with_start: false,
        then: Vec::new(),
    };
    (live(EventType::InferenceStarted, job.execution_id), message)
}
