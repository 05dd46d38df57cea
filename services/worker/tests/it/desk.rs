//! The other side of a worker: hands out jobs and reads the reports, as an orchestrator would.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use millrace_blobs::{Blobs, BlobsSettings};
use millrace_bus::{Bus, BusSettings, Inbox};
use millrace_config::Objects;
use millrace_contracts::job::{JobOutcome, ModelRef, Priority};
use millrace_contracts::message::Message;
use millrace_contracts::model::ModelWish;
use millrace_contracts::values::ImageValue;
use millrace_contracts::{
    ExecutionId, Flow, ItemPath, Job, JobError, JobId, JobMetrics, JobReport, Partition, Pool, UnixMillis,
};
use millrace_tasks::CancellationToken;
use millrace_testkit::{TestRedis, ort_library, test_folder};
use millrace_vision::{Limits, probe};
use millrace_worker::{Deps, Phase, WorkerError};
use serde_json::{Map, Value, json};
use tempfile::TempDir;

use crate::models;

const PATIENCE: Duration = Duration::from_secs(30);
/// Short, so that takeovers do not take long.
pub(crate) const LEASE: Duration = Duration::from_secs(1);

/// A Redis, a blob store, and the reports read so far.
pub(crate) struct Desk {
    pub(crate) redis: TestRedis,
    pub(crate) folder: TempDir,
    pub(crate) bus: Bus,
    pub(crate) blobs: Blobs,
    inbox: Inbox,
    reports: Vec<JobReport>,
}

/// How a job ended.
pub(crate) type Ended = Result<Done, JobError>;

/// A completed job.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) outputs: Map<String, Value>,
    pub(crate) metrics: JobMetrics,
    pub(crate) warnings: Vec<String>,
}

/// A worker that runs beside the test.
pub(crate) struct Running {
    stop: CancellationToken,
    task: tokio::task::JoinHandle<Result<(), WorkerError>>,
}

impl Running {
    /// Tells it to stop and waits for its end.
    pub(crate) async fn stop(self) {
        self.stop.cancel();
        self.ended().await;
    }

    /// Waits for its end.
    pub(crate) async fn ended(self) {
        self.task.await.unwrap().unwrap();
    }

    /// Waits for its end, which is a failure.
    pub(crate) async fn failed(self) -> WorkerError {
        self.task.await.unwrap().unwrap_err()
    }
}

pub(crate) fn settings() -> millrace_config::Worker {
    millrace_config::Worker {
        lease: LEASE,
        cpu_threads: 2,
        concurrency: 8,
        ..millrace_config::Worker::default()
    }
}

pub(crate) async fn connect(url: String) -> Bus {
    Bus::connect(BusSettings { partitions: 1, ..BusSettings::new(url) }).await.unwrap()
}

pub(crate) fn deps(bus: Bus, blobs: Blobs) -> Deps {
    let library = ort_library().unwrap();
    Deps { bus, blobs, library, objects: Objects::default(), phase: Phase::default(), health_listen: None }
}

pub(crate) fn repository() -> millrace_config::Models {
    millrace_config::Models { dir: models().into(), ..millrace_config::Models::default() }
}

impl Desk {
    pub(crate) async fn open() -> Self {
        let redis = TestRedis::start().await.unwrap();
        let folder = test_folder().unwrap();
        let bus = connect(redis.url()).await;
        let blobs = Blobs::open(&BlobsSettings::new(folder.path().to_str().unwrap())).unwrap();
        let inbox = bus.inbox("desk").await.unwrap();
        Self { redis, folder, bus, blobs, inbox, reports: Vec::new() }
    }

    /// Starts a worker on this Redis.
    pub(crate) async fn worker(&self) -> Running {
        self.worker_with(repository()).await
    }

    /// The same, with the models in a folder.
    pub(crate) async fn worker_of(&self, folder: PathBuf) -> Running {
        self.worker_with(millrace_config::Models { dir: folder.into(), ..repository() }).await
    }

    /// The same, with these models.
    pub(crate) async fn worker_with(&self, models: millrace_config::Models) -> Running {
        self.worker_as(settings(), models).await
    }

    /// The same, with settings of its own.
    pub(crate) async fn worker_as(
        &self,
        settings: millrace_config::Worker,
        models: millrace_config::Models,
    ) -> Running {
        self.worker_out(settings, models, millrace_config::Io::default()).await
    }

    /// The same, with a world outside.
    pub(crate) async fn worker_out(
        &self,
        settings: millrace_config::Worker,
        models: millrace_config::Models,
        io: millrace_config::Io,
    ) -> Running {
        self.worker_on(settings, models, (io, Objects::default())).await
    }

    /// The same, with object stores.
    pub(crate) async fn worker_on(
        &self,
        settings: millrace_config::Worker,
        models: millrace_config::Models,
        (io, objects): (millrace_config::Io, Objects),
    ) -> Running {
        // A connection of its own, as in life.
        let deps = Deps { objects, ..deps(connect(self.redis.url()).await, self.blobs.clone()) };
        let stop = CancellationToken::new();
        let task = tokio::spawn(millrace_worker::run(deps, settings, models, io, stop.clone()));
        Running { stop, task }
    }

    /// Stores a picture.
    pub(crate) async fn image(&self, bytes: Vec<u8>) -> ImageValue {
        let size = probe(&bytes, &Limits::default()).map_or((0, 0), |header| (header.width, header.height));
        let format = if bytes.starts_with(b"\x89PNG") { "png" } else { "jpeg" };
        let blob = self.blobs.put(Bytes::from(bytes)).await.unwrap();
        ImageValue::root(blob, size.0, size.1, format)
    }

    /// A job of its own run.
    #[expect(clippy::needless_pass_by_value, reason = "callers write literals")]
    pub(crate) fn job(task: &str, inputs: Value, config: Value) -> Job {
        let (execution_id, node_id) = (ExecutionId::generate(), "node".into());
        let model = config["model_id"].as_str().map(|id| ModelRef {
            id: id.into(),
            source: "pretrained".into(),
            digest: None,
        });
        Job {
            id: JobId::of(execution_id, &node_id, &ItemPath::root(), 1),
            execution_id,
            workflow_id: None,
            node_id,
            path: ItemPath::root(),
            attempt: 1,
            task: task.to_owned(),
            pool: Pool::from(if model.is_some() { "fast" } else { "cpu" }),
            model,
            priority: Priority::Normal,
            flow: Flow::default(),
            inputs: inputs.as_object().unwrap().clone(),
            config: config.as_object().unwrap().clone(),
            then: Vec::new(),
            queued_at: UnixMillis::now(),
            deadline: None,
            traceparent: None,
            reply_to: Partition(0),
            outlives_run: false,
        }
    }

    /// Hands out a job and waits for its end.
    pub(crate) async fn run(&mut self, job: Job) -> Ended {
        self.bus.enqueue(std::slice::from_ref(&job), &[]).await.unwrap();
        self.end_of(job.id).await
    }

    /// Waits for a job's end.
    pub(crate) async fn end_of(&mut self, job: JobId) -> Ended {
        let ended =
            self.wait(|report| report.job_id == job && !matches!(report.outcome, JobOutcome::Started)).await;
        match ended.outcome {
            JobOutcome::Completed { outputs, metrics, warnings } => {
                Ok(Done { outputs, metrics: *metrics, warnings })
            }
            JobOutcome::Failed { error, .. } => Err(error),
            JobOutcome::Started => unreachable!("starts are passed over"),
        }
    }

    /// Waits for a report.
    pub(crate) async fn wait(&mut self, wanted: impl Fn(&JobReport) -> bool) -> JobReport {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            if let Some(report) = self.reports.iter().find(|report| wanted(report)) {
                return report.clone();
            }
            assert!(tokio::time::Instant::now() < deadline, "no such report; there are {:#?}", self.reports);
            self.read(Duration::from_millis(500)).await;
        }
    }

    /// How many reports of each outcome a job has by now.
    pub(crate) async fn counts(&mut self, job: JobId) -> HashMap<&'static str, usize> {
        self.read(Duration::from_millis(1)).await;
        let mut counts = HashMap::new();
        for report in self.reports.iter().filter(|report| report.job_id == job) {
            let name = match report.outcome {
                JobOutcome::Started => "started",
                JobOutcome::Completed { .. } => "completed",
                JobOutcome::Failed { .. } => "failed",
            };
            *counts.entry(name).or_default() += 1;
        }
        counts
    }

    async fn read(&mut self, block: Duration) {
        for delivery in self.inbox.read(&[Partition(0)], 64, block).await.unwrap() {
            if let Message::Report { report, with_start, then, .. } = delivery.message {
                if with_start {
                    self.reports.push(JobReport { outcome: JobOutcome::Started, ..(*report).clone() });
                }
                self.reports.push(*report);
                self.reports.extend(then.into_iter().map(|follow_up| follow_up.report));
            }
        }
    }

    /// Whether no job waits or is claimed any more; acknowledging follows the last report by a moment.
    pub(crate) async fn queues_become_empty(&self) {
        let empty = async || {
            let depths = self.bus.queue_depths().await?;
            Ok::<_, millrace_bus::BusError>(
                depths.iter().all(|depth| depth.waiting + depth.pending == 0).then_some(()),
            )
        };
        millrace_testkit::eventually(PATIENCE, "empty queues", empty).await.unwrap();
    }

    /// What the only worker says of itself, once `model` is loaded; wished for again as long as nobody listens yet.
    pub(crate) async fn warm(&self, model: &str, wish: &ModelWish) -> Value {
        let warm = async || {
            let workers = self.bus.workers().await?;
            let info = workers.first().and_then(|worker| worker.info.as_deref()).unwrap_or("{}");
            let info: Value = serde_json::from_str(info).unwrap_or_default();
            let is_warm = info["models"].as_array().is_some_and(|models| models.contains(&json!(model)));
            if !is_warm {
                self.bus.wish(wish).await?;
            }
            Ok::<_, millrace_bus::BusError>(is_warm.then_some(info))
        };
        millrace_testkit::eventually(PATIENCE, "a warm model", warm).await.unwrap()
    }
}

/// Puts the detector into a repository under several names.
pub(crate) fn copies(folder: &Path, ids: &[&str]) {
    for id in ids {
        std::fs::create_dir(folder.join(id)).unwrap();
        std::fs::copy(models().join("shapes-detector/model.onnx"), folder.join(id).join("model.onnx"))
            .unwrap();
    }
}

/// The inputs of a block with one image.
pub(crate) fn on(image: &ImageValue) -> Value {
    json!({"image": image})
}
