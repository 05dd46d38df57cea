//! Servers, replicas, and a worker played by hand.

use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use millrace_blobs::{Blobs, BlobsSettings};
use millrace_bus::{Bus, BusSettings, JobDelivery, JobQueues, Report};
use millrace_config::Orchestrator;
use millrace_contracts::event::{LogPosition, Source};
use millrace_contracts::job::{JobOutcome, JobReport};
use millrace_contracts::message::{Accepted, Message, RerunOf};
use millrace_contracts::{
    BlobId, ErrorKind, Event, EventType, ExecutionId, ExecutionStatus, JobError, JobMetrics, NodeStatus,
    Partition, Pool, UnixMillis, WorkerId,
};
use millrace_orchestrator::{Deps, OrchestratorError, run};
use millrace_store::{AcceptedRun, RecordBatch, Store, StoreSettings};
use millrace_tasks::CancellationToken;
use millrace_testkit::{TestPostgres, TestRedis, accepted_run, eventually};
use serde_json::{Map, Value, json};
use tempfile::TempDir;
use tokio::task::JoinHandle;

pub(crate) const DEADLINE: Duration = Duration::from_secs(20);

pub(crate) struct World {
    pub(crate) bus: Bus,
    pub(crate) store: Store,
    pub(crate) blobs: Blobs,
    pub(crate) redis: TestRedis,
    _postgres: TestPostgres,
    folder: TempDir,
}

/// A replica in this process.
pub(crate) struct Replica {
    task: JoinHandle<Result<(), OrchestratorError>>,
    shutdown: CancellationToken,
}

impl Replica {
    pub(crate) async fn stop(self) -> anyhow::Result<()> {
        self.shutdown.cancel();
        Ok(self.task.await??)
    }

    /// The nearest to kill -9 that a task gets: it is dropped wherever it stands, and gives nothing back.
    pub(crate) async fn vanish(self) {
        self.task.abort();
        assert!(self.task.await.is_err_and(|error| error.is_cancelled()));
    }
}

/// Settings with short leases, so that takeovers happen within a test's patience.
pub(crate) fn settings() -> Orchestrator {
    Orchestrator {
        lease: Duration::from_millis(900),
        sweep_interval: Duration::from_millis(200),
        stalled_after: Duration::from_millis(200),
        block: Duration::from_millis(200),
        schedule_sweep: Duration::from_millis(300),
        ..Orchestrator::default()
    }
}

/// A Postgres that is away.
pub(crate) fn nowhere() -> anyhow::Result<Store> {
    Ok(Store::connect(&StoreSettings::new("postgres://nobody@127.0.0.1:1/nothing"))?)
}

/// Nobody but the lanes sees to it that runs go on.
pub(crate) fn without_sweeper() -> Orchestrator {
    let (stalled_after, keep_finished) = (Duration::from_secs(3600), Duration::from_secs(24 * 3600));
    Orchestrator { stalled_after, keep_finished, ..settings() }
}

impl World {
    pub(crate) async fn start() -> anyhow::Result<Self> {
        Self::start_with(|_| ()).await
    }

    /// A world whose blob store is set otherwise.
    pub(crate) async fn start_with(change: impl FnOnce(&mut BlobsSettings)) -> anyhow::Result<Self> {
        let (redis, postgres) = (TestRedis::start().await?, TestPostgres::start().await?);
        let folder = millrace_testkit::test_folder()?;
        let bus = BusSettings { partitions: 4, ..BusSettings::new(redis.url()) };
        let store = Store::connect(&StoreSettings::new(postgres.url()))?;
        store.migrate().await?;
        let mut blobs = BlobsSettings::new(folder.path().display().to_string());
        change(&mut blobs);
        Ok(Self {
            bus: Bus::connect(bus).await?,
            store,
            blobs: Blobs::open(&blobs)?,
            redis,
            _postgres: postgres,
            folder,
        })
    }

    pub(crate) fn replica(&self) -> Replica {
        self.replica_with(settings())
    }

    pub(crate) fn replica_with(&self, settings: Orchestrator) -> Replica {
        self.replica_on(self.store.clone(), settings)
    }

    /// A replica that is given another Postgres than everybody else.
    pub(crate) fn replica_on(&self, store: Store, settings: Orchestrator) -> Replica {
        let deps = Deps { bus: self.bus.clone(), store, blobs: self.blobs.clone() };
        let shutdown = CancellationToken::new();
        // A test's own task: it is stopped or dropped by the test.
        let task = tokio::spawn(run(deps, settings, shutdown.clone()));
        Replica { task, shutdown }
    }

    /// Accepts a run as the api does: definition blob, row, message.
    pub(crate) async fn submit(&self, definition: &Value, input: Value) -> anyhow::Result<ExecutionId> {
        self.submit_as(definition, input, None).await
    }

    /// The same, for a run that repeats another one.
    pub(crate) async fn submit_as(
        &self,
        definition: &Value,
        input: Value,
        rerun_of: Option<RerunOf>,
    ) -> anyhow::Result<ExecutionId> {
        self.submit_with(definition, input, |accepted| accepted.rerun_of = rerun_of).await
    }

    /// The same, for a run that is changed before it is accepted.
    pub(crate) async fn submit_with(
        &self,
        definition: &Value,
        input: Value,
        change: impl FnOnce(&mut Accepted),
    ) -> anyhow::Result<ExecutionId> {
        let accepted = self.accept_with(definition, input, change).await?;
        self.bus.execute(&accepted).await?;
        Ok(accepted.execution_id)
    }

    /// Accepts a run and tells nobody, as an api does that dies then.
    pub(crate) async fn accept_with(
        &self,
        definition: &Value,
        input: Value,
        change: impl FnOnce(&mut Accepted),
    ) -> anyhow::Result<Accepted> {
        let text = serde_json::to_vec(definition)?;
        let blob = self.blobs.put(Bytes::from(text.clone())).await?;
        let Value::Object(input) = input else { anyhow::bail!("an input is an object") };
        let mut accepted = Accepted { definition: blob, input, ..accepted_run() };
        change(&mut accepted);
        let mut row = AcceptedRun::new(accepted.clone());
        row.definition = Some(millrace_store::Definition { id: blob, json: definition.clone() });
        self.store.accept(&[row]).await?;
        Ok(accepted)
    }

    /// Submits a run whose definition the blob store does not give, to an inbox of choice, and waits until a replica has it in
    /// hand. The store must have no memory.
    pub(crate) async fn submit_unreadable(&self, name: &str, partition: Partition) -> anyhow::Result<()> {
        let definition = json!({"name": name, "nodes": []});
        let mut ids = std::iter::repeat_with(ExecutionId::generate);
        let run = ids.find(|run| self.bus.partition_of(*run) == partition);
        let change = |accepted: &mut Accepted| accepted.execution_id = run.unwrap_or(accepted.execution_id);
        let accepted = self.accept_with(&definition, json!({}), change).await?;
        let file = self.file_of(accepted.definition);
        std::fs::remove_file(&file)?;
        std::fs::create_dir(&file)?;
        self.bus.execute(&accepted).await?;
        self.is_put_off(partition).await
    }

    /// Where the blob store keeps a blob.
    pub(crate) fn file_of(&self, blob: BlobId) -> PathBuf {
        let hex = blob.to_string();
        self.folder.path().join("sha256").join(&hex[..2]).join(&hex[2..4]).join(&hex)
    }

    /// Until a replica has all messages of the partition in hand, and they are not done with.
    pub(crate) async fn is_put_off(&self, partition: Partition) -> anyhow::Result<()> {
        eventually(DEADLINE, "a replica has it in hand", async || {
            let is_unread = self.bus.oldest_unread(&[partition]).await?.contains_key(&partition);
            let waits = self.bus.inbox_depth().await? > 0;
            Ok::<_, millrace_bus::BusError>((waits && !is_unread).then_some(()))
        })
        .await
    }

    /// Sends a command behind everybody's back.
    pub(crate) async fn redis(&self, command: redis::Cmd) -> anyhow::Result<()> {
        let mut redis = redis::Client::open(self.redis.url())?.get_multiplexed_async_connection().await?;
        Ok(command.exec_async(&mut redis).await?)
    }

    /// Until a replica has said how many runs may be under way.
    pub(crate) async fn limit_is(&self, limit: u64) -> anyhow::Result<()> {
        eventually(DEADLINE, "the line is open", async || {
            Ok::<_, millrace_bus::BusError>((self.bus.line(1).await?.limit == limit).then_some(()))
        })
        .await
    }

    pub(crate) async fn worker(&self) -> anyhow::Result<HandWorker> {
        let id = WorkerId::from("by-hand");
        Ok(HandWorker { queues: self.bus.queues(&id).await?, bus: self.bus.clone(), id })
    }

    /// The run's whole log once it has ended, checked to be numbered without a gap.
    pub(crate) async fn ended(&self, run: ExecutionId) -> anyhow::Result<Vec<Event>> {
        let start = LogPosition { epoch: 0, seq: 0 };
        let log = eventually(DEADLINE, "the run ends", async || {
            let log = self.bus.log(run, start, 100_000).await?;
            let over = log.last().is_some_and(|event| event.kind.ends_run());
            Ok::<_, millrace_bus::BusError>(over.then_some(log))
        })
        .await?;
        for (expected, event) in (1..).zip(&log) {
            anyhow::ensure!(event.seq == Some(expected), "seq {:?} where {expected} was due", event.seq);
        }
        Ok(log)
    }

    /// Until the end of `node` is in the log of `run`.
    pub(crate) async fn settled(
        &self,
        run: ExecutionId,
        node: &millrace_contracts::NodeId,
    ) -> anyhow::Result<()> {
        let start = LogPosition { epoch: 0, seq: 0 };
        eventually(DEADLINE, "the node ends", async || {
            let log = self.bus.log(run, start, 100_000).await?;
            Ok::<_, millrace_bus::BusError>(
                log.iter().any(|event| event.node_id.as_ref() == Some(node)).then_some(()),
            )
        })
        .await
    }

    /// How the run ended, if it has.
    pub(crate) async fn ended_already(&self, run: ExecutionId) -> anyhow::Result<Option<ExecutionStatus>> {
        let Some(stored) = self.bus.load_run(run).await? else { return Ok(None) };
        let status = millrace_engine::snapshot(&stored.fields, 1_000)?.status;
        Ok(status.is_terminal().then_some(status))
    }

    /// Records what the run's log says so far, as a writer does.
    pub(crate) async fn record(&self, run: ExecutionId) -> anyhow::Result<()> {
        let events = self.bus.log(run, LogPosition { epoch: 0, seq: 0 }, 100_000).await?;
        self.store.record(&RecordBatch { events }).await?;
        Ok(())
    }

    pub(crate) async fn status(&self, run: ExecutionId) -> anyhow::Result<ExecutionStatus> {
        let stored = self.bus.load_run(run).await?;
        let stored = stored.ok_or_else(|| anyhow::anyhow!("run {run} has no live state"))?;
        Ok(millrace_engine::snapshot(&stored.fields, 1_000)?.status)
    }
}

/// A worker that does what the test says.
pub(crate) struct HandWorker {
    queues: JobQueues,
    bus: Bus,
    id: WorkerId,
}

impl HandWorker {
    /// The next job, within the deadline.
    pub(crate) async fn take(&mut self) -> anyhow::Result<JobDelivery> {
        self.take_of(&["cpu".into(), "fast".into()]).await
    }

    /// The next job of one pool, within the deadline.
    pub(crate) async fn take_from(&mut self, pool: &str) -> anyhow::Result<JobDelivery> {
        self.take_of(&[pool.into()]).await
    }

    async fn take_of(&mut self, pools: &[Pool]) -> anyhow::Result<JobDelivery> {
        let queues = &mut self.queues;
        eventually(DEADLINE, "a job arrives", async || {
            let taken = queues.read(pools, 1, Duration::from_millis(200)).await?;
            Ok::<_, millrace_bus::BusError>(taken.into_iter().next())
        })
        .await
    }

    /// A job, if there is one now.
    pub(crate) async fn try_take(&mut self) -> anyhow::Result<Option<JobDelivery>> {
        let pools = ["cpu".into(), "fast".into()];
        Ok(self.queues.read(&pools, 1, Duration::from_millis(20)).await?.into_iter().next())
    }

    /// A job of one pool, if there is one now.
    pub(crate) async fn try_take_from(&mut self, pool: &str) -> anyhow::Result<Option<JobDelivery>> {
        Ok(self.queues.read(&[pool.into()], 1, Duration::from_millis(20)).await?.into_iter().next())
    }

    pub(crate) async fn complete(&self, taken: &JobDelivery, outputs: Value) -> anyhow::Result<()> {
        self.complete_with(taken, outputs, JobMetrics::default()).await
    }

    pub(crate) async fn complete_with(
        &self,
        taken: &JobDelivery,
        outputs: Value,
        metrics: JobMetrics,
    ) -> anyhow::Result<()> {
        let Value::Object(outputs) = outputs else { anyhow::bail!("outputs are an object") };
        let metrics = Box::new(metrics);
        let outcome = JobOutcome::Completed { outputs, metrics, warnings: Vec::new() };
        self.report(taken, EventType::InferenceCompleted, outcome).await
    }

    pub(crate) async fn fail(&self, taken: &JobDelivery, kind: ErrorKind) -> anyhow::Result<()> {
        self.fail_with(taken, kind, JobMetrics::default()).await
    }

    pub(crate) async fn fail_with(
        &self,
        taken: &JobDelivery,
        kind: ErrorKind,
        metrics: JobMetrics,
    ) -> anyhow::Result<()> {
        let error = JobError::new(kind, "as the test says");
        let outcome = JobOutcome::Failed { error, metrics: Box::new(metrics) };
        self.report(taken, EventType::InferenceFailed, outcome).await
    }

    /// Says of a job that it was done, as a worker does whose claim on it is long gone.
    pub(crate) async fn say_again(&self, taken: &JobDelivery) -> anyhow::Result<()> {
        let outcome =
            JobOutcome::Completed { outputs: Map::new(), metrics: Box::default(), warnings: Vec::new() };
        Ok(self.bus.post(&self.message(taken, outcome).0).await?)
    }

    async fn report(&self, taken: &JobDelivery, kind: EventType, outcome: JobOutcome) -> anyhow::Result<()> {
        let job = &taken.job;
        let (message, report) = self.message(taken, outcome);
        let data = serde_json::to_value(&report)?;
        let event = Event::new(kind, Source::Worker, job.id.to_string(), report.started_at, data);
        self.bus.report_all(&[Report { job, events: &[event], message: &message }], &[]).await?;
        Ok(self.bus.ack_jobs(&[(taken.queue.clone(), taken.entry.clone())]).await?)
    }

    fn message(&self, taken: &JobDelivery, outcome: JobOutcome) -> (Message, JobReport) {
        let (job, now) = (&taken.job, UnixMillis::now());
        let report = JobReport {
            job_id: job.id,
            task: job.task.clone(),
            model_id: job.model.as_ref().map(|model| model.id.clone()),
            worker_id: self.id.clone(),
            started_at: now,
            ended_at: None,
            outcome,
        };
        let message = Message::Report {
            execution_id: job.execution_id,
            node_id: job.node_id.clone(),
            path: job.path.clone(),
            attempt: job.attempt,
            at: now,
            report: Box::new(report.clone()),
            with_start: false,
            then: Vec::new(),
        };
        (message, report)
    }
}

/// `size` resizes in a chain, from the parameter `n` to the output `answer`.
pub(crate) fn chain(size: usize) -> Value {
    let mut nodes = vec![json!({"id": "photo", "type": "parameter_input", "config": {"kind": "image"}})];
    let mut source = "$inputs.photo".to_owned();
    for at in 0..size {
        let id = format!("step{at}");
        nodes.push(json!({"id": id, "type": "resize", "inputs": {"image": source}, "config": {"width": 8},
            "retry": {"max_attempts": 2, "initial_ms": 50, "jitter": 0.0}}));
        source = format!("$nodes.{id}.image");
    }
    nodes.push(json!({"id": "answer", "type": "json_output", "inputs": {"last": source}}));
    json!({"name": "chain", "nodes": nodes})
}

/// The value of an image port: orchestrating does not need the picture.
pub(crate) fn picture(name: &str) -> Value {
    let blob = millrace_contracts::BlobId::of(name.as_bytes());
    millrace_contracts::values::ImageValue::root(blob, 8, 8, "png").to_value()
}

pub(crate) fn completed_nodes(log: &[Event]) -> Vec<String> {
    let completed = log.iter().filter(|event| event.kind == EventType::NodeCompleted);
    completed.filter_map(|event| event.node_id.as_ref().map(ToString::to_string)).collect()
}

pub(crate) fn statuses(log: &[Event], node: &str) -> Vec<NodeStatus> {
    let about = log.iter().filter(|event| event.node_id.as_ref().is_some_and(|id| id.as_str() == node));
    about.filter_map(|event| serde_json::from_value(event.data["status"].clone()).ok()).collect()
}

pub(crate) fn outputs(log: &[Event]) -> Map<String, Value> {
    log.last().and_then(|event| event.data["outputs"].as_object().cloned()).unwrap_or_default()
}
