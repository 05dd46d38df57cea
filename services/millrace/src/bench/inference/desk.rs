//! A worker of our own, and this process as its orchestrator: jobs go straight onto the queue, and reports come back. As an
//! orchestrator does, it puts what is ready meanwhile onto the queue together.

use std::collections::HashMap;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use millrace_bus::{Bus, BusSettings, Inbox};
use millrace_config::LoadArgs;
use millrace_contracts::job::{JobOutcome, ModelRef, Priority};
use millrace_contracts::message::Message;
use millrace_contracts::values::ImageValue;
use millrace_contracts::{ExecutionId, Flow, ItemPath, Job, JobId, JobMetrics, Partition, Pool, UnixMillis};
use millrace_tasks::{OnCancel, OnError, Supervisor, TaskKind};
use serde_json::{Map, Value, json};
use tokio::process::Child;
use tokio::sync::{mpsc, oneshot};

use super::kit::{self, Kit};
use crate::bench::cpu::{Cpu, Roots, resident_bytes};
use crate::roles::{self, NO_FILE};

const JOB: Duration = Duration::from_secs(60);
const READY: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(2);
const BLOCK: Duration = Duration::from_secs(1);
const BATCH: usize = 64;
const CONSUMER: &str = "bench";

type Waiting = Arc<Mutex<HashMap<JobId, oneshot::Sender<(Instant, JobOutcome)>>>>;

/// The worker and its desk.
pub(crate) struct Desk {
    child: Child,
    waiting: Waiting,
    ready: mpsc::Sender<Job>,
    tasks: Supervisor,
    redis_process: u32,
    /// From the start of its process to its registration.
    pub(crate) start: Duration,
}

/// A job that is done.
#[derive(Debug, Clone)]
pub(crate) struct Done {
    /// From before it was queued to its report.
    pub(crate) elapsed: Duration,
    pub(crate) metrics: JobMetrics,
}

impl Desk {
    /// Starts a worker with `settings` (environment variables) on top of the kit's, on keys of its own.
    pub(crate) async fn open(
        kit: &Kit,
        redis_url: &str,
        name: &str,
        settings: &[(&str, &str)],
    ) -> anyhow::Result<Self> {
        let prefix = format!("{}-bench-{}-{name}", kit.settings.redis.prefix, std::process::id());
        let usual = roles::bus_settings(&kit.settings);
        let place = BusSettings { url: redis_url.to_owned(), prefix: prefix.clone(), partitions: 1, ..usual };
        let bus = Bus::connect(place).await?;
        let tasks = Supervisor::new();
        let waiting = Waiting::default();
        let reading = read(bus.clone(), bus.inbox(CONSUMER).await?, Arc::clone(&waiting));
        tasks.spawn(TaskKind::new("bench.reports", OnError::Stop, OnCancel::Abort), reading);
        let (ready, jobs) = mpsc::channel(BATCH);
        let handing_out = hand_out(bus.clone(), jobs, Arc::clone(&waiting));
        tasks.spawn(TaskKind::new("bench.jobs", OnError::Stop, OnCancel::Abort), handing_out);
        let begun = Instant::now();
        let child = worker(kit, redis_url, &prefix, settings)?;
        let registered = async {
            while bus.workers().await?.iter().all(|worker| worker.info.is_none()) {
                tokio::time::sleep(POLL).await;
            }
            anyhow::Ok(())
        };
        tokio::time::timeout(READY, registered).await.context("the bench's worker did not register")??;
        let redis_process = bus.server_counters().await?.process_id;
        Ok(Self { start: begun.elapsed(), child, waiting, ready, tasks, redis_process })
    }

    /// Hands out one job and waits for its report.
    pub(crate) async fn run(&self, model: &str, picture: &ImageValue) -> anyhow::Result<Done> {
        self.run_as(model, kit::config(model), picture).await
    }

    /// The same, with a configuration of its own.
    pub(crate) async fn run_as(
        &self,
        model: &str,
        config: Value,
        picture: &ImageValue,
    ) -> anyhow::Result<Done> {
        let job = job(model, config, picture);
        let (sender, report) = oneshot::channel();
        self.lock().insert(job.id, sender);
        let (id, begun) = (job.id, Instant::now());
        self.ready.send(job).await.context("no job can be queued any more")?;
        let report = tokio::time::timeout(JOB, report).await;
        self.lock().remove(&id);
        let (at, outcome) = report.context("a job was not reported on")??;
        match outcome {
            JobOutcome::Completed { metrics, .. } => {
                Ok(Done { elapsed: at.saturating_duration_since(begun), metrics: *metrics })
            }
            JobOutcome::Failed { error, .. } => anyhow::bail!("a job failed: {error}"),
            JobOutcome::Started => anyhow::bail!("starts are not awaited"),
        }
    }

    /// CPU of the worker and of Redis so far.
    pub(crate) fn cpu(&self) -> Cpu {
        let roots = self.child.id().into_iter().chain([self.redis_process]);
        Cpu::of(&Roots(roots.collect()))
    }

    /// Resident memory of the worker, bytes.
    pub(crate) fn resident_bytes(&self) -> u64 {
        self.child.id().map_or(0, |pid| resident_bytes(&pid.to_string()))
    }

    /// Stops the worker.
    pub(crate) async fn close(mut self) -> anyhow::Result<()> {
        crate::bench::instance::end(&mut self.child).await;
        Ok(self.tasks.drain(Duration::from_secs(1)).await?)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<JobId, oneshot::Sender<(Instant, JobOutcome)>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn worker(kit: &Kit, redis_url: &str, prefix: &str, settings: &[(&str, &str)]) -> anyhow::Result<Child> {
    let mut command = roles::supervised(&roles::this_program()?, "worker", Some(NO_FILE.as_ref()));
    for name in LoadArgs::variables_of_process() {
        command.env_remove(name);
    }
    command.envs(kit.settings.to_environment());
    command.env("MILLRACE__REDIS__URL", redis_url).env("MILLRACE__REDIS__PREFIX", prefix);
    command.env("MILLRACE__REDIS__PARTITIONS", "1").env("MILLRACE__MODELS__DIR", kit.models());
    command.env("MILLRACE__MODELS__ORT_LIBRARY", &kit.library);
    command.env("MILLRACE__BLOBS__URL", kit.blobs_url());
    command.envs(settings.iter().copied());
    command.stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
    command.spawn().context("cannot start the bench's worker")
}

/// Puts jobs onto the queue as they come. Nobody waits for one that it cannot put there.
async fn hand_out(bus: Bus, mut ready: mpsc::Receiver<Job>, waiting: Waiting) -> anyhow::Result<()> {
    let mut jobs = Vec::with_capacity(BATCH);
    while ready.recv_many(&mut jobs, BATCH).await > 0 {
        if let Err(error) = bus.enqueue(&jobs, &[]).await {
            waiting.lock().unwrap_or_else(PoisonError::into_inner).clear();
            return Err(error.into());
        }
        jobs.clear();
    }
    Ok(())
}

/// Reads reports for ever.
async fn read(bus: Bus, mut inbox: Inbox, waiting: Waiting) -> anyhow::Result<()> {
    loop {
        let deliveries = inbox.read(&[Partition(0)], BATCH, BLOCK).await?;
        let at = Instant::now();
        let entries: Vec<_> = deliveries.iter().map(|one| (one.partition, one.entry.clone())).collect();
        for delivery in deliveries {
            let Message::Report { report, .. } = delivery.message else { continue };
            if matches!(report.outcome, JobOutcome::Started) {
                continue;
            }
            let waiter = waiting.lock().unwrap_or_else(PoisonError::into_inner).remove(&report.job_id);
            if let Some(waiter) = waiter {
                // Refused only by one who gave up waiting.
                _ = waiter.send((at, report.outcome));
            }
        }
        bus.ack(CONSUMER, &entries).await?;
    }
}

fn job(model: &str, config: Value, picture: &ImageValue) -> Job {
    let (execution_id, node_id) = (ExecutionId::generate(), "look".into());
    let config = match config {
        Value::Object(config) => config,
        _ => Map::new(),
    };
    Job {
        id: JobId::of(execution_id, &node_id, &ItemPath::root(), 1),
        execution_id,
        workflow_id: None,
        node_id,
        path: ItemPath::root(),
        attempt: 1,
        task: kit::BLOCK.to_owned(),
        model: Some(ModelRef { id: model.into(), source: "pretrained".into(), digest: None }),
        pool: Pool::from("fast"),
        priority: Priority::Normal,
        flow: Flow::default(),
        inputs: Map::from_iter([("image".to_owned(), json!(picture))]),
        config,
        then: Vec::new(),
        queued_at: UnixMillis::now(),
        deadline: None,
        traceparent: None,
        reply_to: Partition(0),
        outlives_run: false,
    }
}
