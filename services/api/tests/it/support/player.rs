//! An orchestrator played by hand: commits states and events of one run as the real one does.

use std::time::Duration;

use anyhow::Context;
use millrace_bus::{Bus, Commit, CommitOutcome};
use millrace_contracts::event::Source;
use millrace_contracts::message::Accepted;
use millrace_contracts::run::Progress;
use millrace_contracts::{BlobId, Event, EventType, ExecutionId, ExecutionStatus, UnixMillis};
use millrace_engine::Meta;
use millrace_testkit::accepted_run;
use serde_json::{Map, Value, json};

pub(crate) struct Player {
    bus: Bus,
    pub(crate) run: ExecutionId,
    /// When the run was accepted: as old at its end as at its beginning.
    created_at: UnixMillis,
    version: u64,
    pub(crate) meta: Meta,
    outputs: Option<Value>,
    pub(crate) committed: Vec<Event>,
}

impl Player {
    pub(crate) fn new(bus: Bus, run: ExecutionId) -> Self {
        let meta = json!({
            "status": "pending", "epoch": 1, "seq": 0, "progress": Progress::default(),
            "jobs_pending": 0, "jobs_completed": 0, "jobs_failed": 0, "started_at": null, "completed_at": null,
        });
        let meta = serde_json::from_value(meta).expect("a run's record");
        Self {
            bus,
            run,
            created_at: UnixMillis::now(),
            version: 0,
            meta,
            outputs: None,
            committed: Vec::new(),
        }
    }

    /// An event of the run, numbered when it is durable.
    pub(crate) fn event(&mut self, kind: EventType, data: Value) -> Event {
        let mut event = Event::new(kind, Source::Orchestrator, String::new(), UnixMillis::now(), data);
        event.execution_id = Some(self.run);
        if kind.is_durable() {
            self.meta.seq += 1;
            event.epoch = Some(self.meta.epoch);
            event.seq = Some(self.meta.seq);
        }
        event.id = format!("{}/{:?}-{kind}", self.run, event.seq);
        event
    }

    pub(crate) async fn start(&mut self) -> anyhow::Result<()> {
        self.meta.status = ExecutionStatus::Running;
        self.meta.started_at = Some(UnixMillis::now());
        let event = self.event(EventType::WorkflowStarted, json!({"version": null}));
        self.commit(vec![event], Vec::new()).await
    }

    pub(crate) async fn node(&mut self, node: &str) -> anyhow::Result<()> {
        let mut event = self.event(EventType::NodeCompleted, json!({"node_id": node, "status": "completed"}));
        event.node_id = Some(node.into());
        self.meta.progress.completed += 1;
        self.commit(vec![event], Vec::new()).await
    }

    pub(crate) async fn complete(&mut self, outputs: Value) -> anyhow::Result<()> {
        self.end(ExecutionStatus::Completed, EventType::WorkflowCompleted, outputs).await
    }

    pub(crate) async fn end(
        &mut self,
        status: ExecutionStatus,
        kind: EventType,
        outputs: Value,
    ) -> anyhow::Result<()> {
        self.meta.status = status;
        self.meta.completed_at = Some(UnixMillis::now());
        let event = self.event(kind, json!({"status": status, "outputs": outputs}));
        self.outputs = Some(outputs);
        self.commit(vec![event], Vec::new()).await
    }

    /// One step: the state as it is now, with these events.
    pub(crate) async fn commit(&mut self, durable: Vec<Event>, live: Vec<Event>) -> anyhow::Result<()> {
        let accepted = Accepted {
            execution_id: self.run,
            definition: BlobId::of(b"x"),
            input: Map::new(),
            epoch: self.meta.epoch,
            created_at: self.created_at,
            ..accepted_run()
        };
        let mut commit = Commit::new(self.run, self.bus.partition_of(self.run), self.version);
        commit.set = vec![
            ("accepted".to_owned(), serde_json::to_vec(&accepted)?),
            ("meta".to_owned(), serde_json::to_vec(&self.meta)?),
        ];
        if let Some(outputs) = &self.outputs {
            commit.set.push(("outputs".to_owned(), serde_json::to_vec(outputs)?));
        }
        self.committed.extend_from_slice(&durable);
        commit.durable = durable;
        // After the durable ones.
        commit.live = live.into_iter().map(|event| (usize::MAX, event)).collect();
        if self.meta.status.is_terminal() {
            commit.expire_after = Some(Duration::from_secs(600));
        }
        let outcome = self.bus.commit(&[commit]).await?.pop().context("an outcome")?;
        anyhow::ensure!(outcome == CommitOutcome::Committed, "{outcome:?}");
        self.version += 1;
        Ok(())
    }
}
