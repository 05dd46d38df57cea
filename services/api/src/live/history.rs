//! What happened to a run before now: from Redis while it has it, from Postgres afterwards.

use std::future::Future;

use millrace_bus::Bus;
use millrace_contracts::event::LogPosition;
use millrace_contracts::run::Snapshot;
use millrace_contracts::{Event, ExecutionId, ExecutionStatus};
use millrace_engine::{Meta, Standing};
use millrace_store::{ExecutionRecord, Store, StoreError};
use serde_json::Value;

use super::frame::Frame;
use crate::patience::patiently;
use crate::problem::{Code, Problem};

/// Node runs in a snapshot; the rest are counted.
pub(crate) const SNAPSHOT_NODES: usize = 500;
/// Events read from the log at once.
pub(crate) const PAGE: usize = 256;

/// How far a run has come, as far as could be found out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stand {
    /// Where the run stands.
    pub(crate) status: ExecutionStatus,
    /// The last durable event; `seq` 0 before the first.
    pub(crate) at: LogPosition,
    /// False where only the record said so, which follows the log: the log may have come further.
    pub(crate) is_sure: bool,
}

/// The past of runs, as a stream needs it.
pub(crate) trait RunLog: Send + Sync + 'static {
    /// The state of a run with the position it stands at; none when there is no such run. Who has seen `since` is not told an
    /// older state because the log cannot be asked: that is an error.
    fn snapshot(
        &self,
        run: ExecutionId,
        since: LogPosition,
    ) -> impl Future<Output = Result<Option<Snapshot>, Problem>> + Send;

    /// How far a run has come: the same without its nodes, of which there may be many.
    fn standing(&self, run: ExecutionId) -> impl Future<Output = Result<Option<Stand>, Problem>> + Send;

    /// Up to [`PAGE`] durable events after a position, in order. `known` is a `seq` that is known to have been reached:
    /// an empty answer is taken for the end of the log only when it lies before. Fewer than there are come only where there is
    /// nobody left to ask for the rest; a log that does not answer is an error.
    fn page(
        &self,
        run: ExecutionId,
        after: LogPosition,
        known: u64,
    ) -> impl Future<Output = Result<Vec<Frame>, Problem>> + Send;
}

/// The past in Redis and Postgres.
#[derive(Debug, Clone)]
pub(crate) struct History {
    /// Has what happens now, and what happened lately.
    pub(crate) bus: Bus,
    /// Has what happened.
    pub(crate) store: Store,
}

impl RunLog for History {
    async fn snapshot(&self, run: ExecutionId, since: LogPosition) -> Result<Option<Snapshot>, Problem> {
        let problem = match patiently(self.bus.load_run(run)).await {
            Ok(Some(stored)) => {
                let snapshot = millrace_engine::snapshot(&stored.fields, SNAPSHOT_NODES);
                return snapshot.map(Some).map_err(Problem::internal);
            }
            other => other.err(),
        };
        let answered = problem.is_none();
        let Some(snapshot) = recorded(self.recorded_snapshot(run).await, problem)? else { return Ok(None) };
        let at = LogPosition { epoch: snapshot.epoch, seq: snapshot.seq };
        if at < since && !Stand::recorded(snapshot.status, at, answered).is_sure {
            let detail =
                "the execution's log cannot be read, and its record is behind; try again in a moment";
            return Err(Problem::new(Code::BusUnavailable, detail));
        }
        Ok(Some(snapshot))
    }

    async fn standing(&self, run: ExecutionId) -> Result<Option<Stand>, Problem> {
        let found = patiently(self.bus.fields(&[run], Meta::FIELD)).await;
        match found.map(|mut fields| fields.pop().flatten()) {
            Ok(Some(record)) => {
                let Standing { status, at } = Standing::read(&record).map_err(Problem::internal)?;
                Ok(Some(Stand { status, at, is_sure: true }))
            }
            other => {
                let answered = other.is_ok();
                let of =
                    |(record, at): (ExecutionRecord, _)| Stand::recorded(record.summary.status, at, answered);
                recorded(self.recorded_run(run).await.map(of), other.err())
            }
        }
    }

    async fn page(&self, run: ExecutionId, after: LogPosition, known: u64) -> Result<Vec<Frame>, Problem> {
        let texts = self.texts(run, after, known).await?;
        Ok(texts.iter().filter_map(|text| Frame::of(text)).collect())
    }
}

impl History {
    /// As [`RunLog::page`], each event as its JSON.
    pub(crate) async fn texts(
        &self,
        run: ExecutionId,
        after: LogPosition,
        known: u64,
    ) -> Result<Vec<String>, Problem> {
        let logged = match patiently(self.bus.log_text(run, after, PAGE)).await {
            Ok(logged) => logged,
            Err(problem) => {
                let Ok(events) = self.recorded_events(run, after).await else { return Err(problem) };
                return if suffices(&events, after, known) { Ok(texts_of(&events)) } else { Err(problem) };
            }
        };
        let reaches = match logged.first() {
            Some((first, _)) => first.epoch != after.epoch || first.seq == after.seq + 1,
            None => known <= after.seq,
        };
        if reaches {
            return Ok(logged.into_iter().map(|(_, text)| text).collect());
        }
        Ok(texts_of(&self.recorded_events(run, after).await?))
    }

    async fn recorded_events(&self, run: ExecutionId, after: LogPosition) -> Result<Vec<Event>, StoreError> {
        self.store.events().after(run, after, u32::try_from(PAGE).unwrap_or(u32::MAX)).await
    }

    async fn recorded_snapshot(&self, run: ExecutionId) -> Result<Snapshot, StoreError> {
        let (record, position) = self.recorded_run(run).await?;
        if record.summary.status == ExecutionStatus::Pending {
            return Ok(recorded_state(record, position));
        }
        let limit = u32::try_from(SNAPSHOT_NODES).unwrap_or(u32::MAX);
        let nodes = self.store.node_runs().list(run, None, None, limit).await?;
        let total = record.progress.map_or(0, |progress| progress.total);
        let nodes_omitted =
            if nodes.len() < SNAPSHOT_NODES { 0 } else { total.saturating_sub(nodes.len() as u64) };
        Ok(Snapshot { nodes, nodes_omitted, ..recorded_state(record, position) })
    }

    /// The events first and the state after them: then the state holds at least what the position says.
    async fn recorded_run(&self, run: ExecutionId) -> Result<(ExecutionRecord, LogPosition), StoreError> {
        let record = self.store.executions().get(run).await?;
        if record.summary.status == ExecutionStatus::Pending {
            // Most who ask here come with the 202, before the run has begun: nothing is recorded of it.
            let position = LogPosition { epoch: record.epoch, seq: 0 };
            return Ok((record, position));
        }
        let position = self.store.events().last(run, record.epoch).await?;
        if record.summary.status.is_terminal() {
            return Ok((record, position));
        }
        Ok((self.store.executions().get(run).await?, position))
    }
}

impl Stand {
    /// What the record says; `answered` tells whether Redis did, and had nothing. Of a run that goes on that is no news: its log
    /// was lost, and is about to be rebuilt.
    fn recorded(status: ExecutionStatus, at: LogPosition, answered: bool) -> Self {
        Self { status, at, is_sure: answered && status.is_terminal() }
    }
}

/// Whether recorded events do in place of the log's: there are as many as one page holds, or they come as far as is known.
fn suffices(events: &[Event], after: LogPosition, known: u64) -> bool {
    let last = events.last().and_then(Event::log_position).unwrap_or(after);
    events.len() >= PAGE || last.seq >= known || last.epoch != after.epoch
}

fn texts_of(events: &[Event]) -> Vec<String> {
    let text = |event: &Event| serde_json::to_string(event).expect("an event is plain data");
    events.iter().map(text).collect()
}

/// What the record says of a run that Redis does not have, or could not tell of (`problem`).
fn recorded<T>(found: Result<T, StoreError>, problem: Option<Problem>) -> Result<Option<T>, Problem> {
    match found {
        Ok(found) => Ok(Some(found)),
        // Only where Redis is sure as well is there no such run: the row comes before the 202, and the state after.
        Err(StoreError::NotFound(_)) => problem.map_or(Ok(None), Err),
        Err(error) => Err(problem.unwrap_or_else(|| error.into())),
    }
}

fn recorded_state(record: ExecutionRecord, position: LogPosition) -> Snapshot {
    let summary = record.summary;
    Snapshot {
        execution_id: summary.id,
        workflow_id: summary.workflow_id,
        status: summary.status,
        epoch: position.epoch,
        seq: position.seq,
        progress: record.progress.unwrap_or_default(),
        created_at: summary.created_at,
        started_at: summary.started_at,
        completed_at: summary.completed_at,
        outputs: record.outputs.and_then(|outputs| match outputs {
            Value::Object(fields) => Some(fields),
            _ => None,
        }),
        error: record.error,
        nodes: Vec::new(),
        nodes_omitted: 0,
    }
}
