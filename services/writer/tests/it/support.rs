//! Servers of a test's own, runs to be recorded, and writers that can be stopped.

use std::time::Duration;

use anyhow::{Context, Result};
use millrace_blobs::{Blobs, BlobsSettings};
use millrace_bus::{Bus, BusSettings, Commit, CommitOutcome};
use millrace_config::{Retention, Writer};
use millrace_contracts::event::{LogPosition, Source};
use millrace_contracts::message::Accepted;
use millrace_contracts::{Event, EventType, ExecutionId, ExecutionStatus, UnixMillis};
use millrace_store::{Store, StoreError, StoreSettings};
use millrace_tasks::CancellationToken;
use millrace_testkit::{TestPostgres, TestRedis, accepted_run, eventually, test_folder};
use millrace_writer::{Deps, WriterError};
use serde_json::{Map, Value, json};
use tempfile::TempDir;
use tokio::task::JoinHandle;

/// Nothing here takes this long unless it never happens.
pub(crate) const DEADLINE: Duration = Duration::from_secs(30);
/// Durable events of one run.
pub(crate) const EVENTS_PER_RUN: usize = 5;

pub(crate) struct Fixture {
    pub(crate) redis: TestRedis,
    pub(crate) postgres: TestPostgres,
    pub(crate) bus: Bus,
    pub(crate) store: Store,
    pub(crate) blobs: Blobs,
    /// Where the blobs are.
    pub(crate) folder: TempDir,
}

impl Fixture {
    pub(crate) async fn start() -> Result<Self> {
        // Alone, so that the server may be killed.
        let (redis, postgres) = (TestRedis::start().await?, TestPostgres::start_alone().await?);
        let bus = Bus::connect(BusSettings::new(redis.url())).await?;
        let store = Store::connect(&StoreSettings::new(postgres.url()))?;
        store.migrate().await?;
        let folder = test_folder()?;
        let blobs = Blobs::open(&BlobsSettings::new(folder.path().display().to_string()))?;
        Ok(Self { redis, postgres, bus, store, blobs, folder })
    }

    pub(crate) fn writer(&self, settings: Writer) -> RunningWriter {
        self.writer_that_keeps(settings, Retention::default())
    }

    pub(crate) fn writer_that_keeps(&self, settings: Writer, retention: Retention) -> RunningWriter {
        let stop = CancellationToken::new();
        let deps =
            Deps { bus: self.bus.clone(), store: self.store.clone(), blobs: self.blobs.clone(), retention };
        RunningWriter { task: tokio::spawn(millrace_writer::run(deps, settings, stop.clone())), stop }
    }

    /// Says everything about `count` runs, as the api and the orchestrator would.
    pub(crate) async fn tell_runs(&self, count: usize) -> Result<Vec<ExecutionId>> {
        let runs: Vec<ExecutionId> = (0..count).map(|_| ExecutionId::generate()).collect();
        for some in runs.chunks(50) {
            let commits: Vec<Commit> =
                some.iter().map(|run| self.story(&accepted(*run), &json!({}))).collect();
            let outcomes = self.bus.commit(&commits).await?;
            anyhow::ensure!(
                outcomes.iter().all(|outcome| *outcome == CommitOutcome::Committed),
                "{outcomes:?}"
            );
        }
        Ok(runs)
    }

    /// The same about one run of this input, whose last node gave this.
    pub(crate) async fn tell_run(&self, input: &Value, output: &Value) -> Result<ExecutionId> {
        let mut accepted = accepted(ExecutionId::generate());
        accepted.input.insert("photo".to_owned(), input.clone());
        let run = accepted.execution_id;
        let outcomes = self.bus.commit(&[self.story(&accepted, output)]).await?;
        anyhow::ensure!(outcomes == [CommitOutcome::Committed], "{outcomes:?}");
        Ok(run)
    }

    fn story(&self, accepted: &Accepted, output: &Value) -> Commit {
        let run = accepted.execution_id;
        let mut commit = Commit::new(run, self.bus.partition_of(run), 0);
        commit.set.push(("meta".to_owned(), b"{}".to_vec()));
        commit.durable.push(durable(run, 1, EventType::WorkflowStarted, json!({"accepted": accepted})));
        let nothing = json!({});
        for (seq, node) in [(2, "photo"), (3, "detect"), (4, "answer")] {
            let data = json!({"node_id": node, "block": "crop@1", "status": "completed", "attempt": 1,
                "outputs": if node == "answer" { output } else { &nothing }});
            commit.durable.push(durable(run, seq, EventType::NodeCompleted, data));
        }
        let end =
            json!({"status": "completed", "completed_at": UnixMillis::now(), "outputs": {"answer": {}}});
        commit.durable.push(durable(run, 5, EventType::WorkflowCompleted, end));
        commit
    }

    /// Waits until every run stands in the record whole, each event once.
    pub(crate) async fn await_recorded(&self, runs: &[ExecutionId]) -> Result<()> {
        for run in runs {
            eventually(DEADLINE, "the run is recorded as completed", async || {
                match self.store.executions().get(*run).await {
                    Ok(found) => Ok((found.summary.status == ExecutionStatus::Completed).then_some(())),
                    Err(StoreError::NotFound(_)) => Ok(None),
                    Err(error) => Err(error),
                }
            })
            .await?;
            let log = self.store.events().after(*run, LogPosition { epoch: 1, seq: 0 }, 100).await?;
            let seqs: Vec<u64> = log.iter().filter_map(|event| event.seq).collect();
            anyhow::ensure!(seqs == [1, 2, 3, 4, 5], "run {run} has the events {seqs:?}");
        }
        Ok(())
    }

    /// Waits until nothing is left to be recorded or acknowledged.
    pub(crate) async fn await_drained(&self) -> Result<()> {
        eventually(DEADLINE, "all events are acknowledged", async || {
            let lag = self.bus.recorder_lag().await?;
            anyhow::Ok((lag.entries == 0).then_some(()))
        })
        .await
    }
}

/// A writer in this process.
pub(crate) struct RunningWriter {
    task: JoinHandle<Result<(), WriterError>>,
    stop: CancellationToken,
}

impl RunningWriter {
    /// Stops it in order.
    pub(crate) async fn stop(self) -> Result<()> {
        self.stop.cancel();
        tokio::time::timeout(DEADLINE, self.task).await.context("the writer did not stop")???;
        Ok(())
    }
}

/// Short times, so that tests do not wait.
pub(crate) fn settings() -> Writer {
    Writer { lease: Duration::from_millis(300), ..Writer::default() }
}

fn accepted(run: ExecutionId) -> Accepted {
    Accepted { execution_id: run, input: Map::new(), ..accepted_run() }
}

fn durable(run: ExecutionId, seq: u64, kind: EventType, data: Value) -> Event {
    let mut event = Event::new(kind, Source::Orchestrator, format!("{run}/1-{seq}"), UnixMillis::now(), data);
    event.execution_id = Some(run);
    event.epoch = Some(1);
    event.seq = Some(seq);
    event
}
