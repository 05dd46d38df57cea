//! Finding a run in both places at once.

use std::pin::pin;
use std::time::Duration;

use millrace_contracts::run::Snapshot;
use millrace_contracts::{ExecutionId, ExecutionStatus};
use millrace_engine::Meta;
use millrace_store::{ExecutionRecord, JobCounts, StoreError};
use tokio::time::timeout;

use crate::patience::patiently;
use crate::problem::{Code, Problem};
use crate::state::App;

/// Node runs that a run's own page takes metrics from.
const VIEWED_NODES: usize = 10_000;

/// Longest the record is waited for once the live state is known, which says all that changes.
const RECORD_WAIT: Duration = Duration::from_millis(500);

/// A run, from where it was found.
#[derive(Debug)]
pub(crate) struct Found {
    /// The run.
    pub(crate) id: ExecutionId,
    /// The record, unless Postgres is away.
    pub(crate) record: Option<ExecutionRecord>,
    /// The live state, with its job counts, while Redis has it.
    pub(crate) live: Option<(Snapshot, JobCounts)>,
}

/// The id that a path names; what is not an id names nothing.
pub(crate) fn parse_id(text: &str) -> Result<ExecutionId, Problem> {
    text.parse().map_err(|_| Problem::not_found("execution", text))
}

/// The run; either place will do when the other is away.
pub(crate) async fn find(app: &App, id: ExecutionId) -> Result<Found, Problem> {
    let executions = app.store.executions();
    let (mut record, mut live) = (pin!(executions.get(id)), pin!(live(app, id)));
    let (record, live) = tokio::select! {
        record = &mut record => (Some(record), live.await),
        live = &mut live => match &live {
            Ok(Some(_)) => (timeout(RECORD_WAIT, record).await.ok(), live),
            _ => (Some(record.await), live),
        },
    };
    let found = match (record, live) {
        (Some(Ok(record)), Ok(live)) => Found { id, record: Some(record), live },
        (Some(Ok(record)), Err(problem)) if problem.code() == Code::BusUnavailable => {
            Found { id, record: Some(record), live: None }
        }
        (Some(Err(StoreError::NotFound(_))), Ok(None)) => return Err(Problem::not_found("execution", id)),
        (Some(Err(error @ StoreError::Gone(_))), _) | (Some(Err(error)), Ok(None)) => {
            return Err(error.into());
        }
        (_, Ok(live)) => Found { id, record: None, live },
        (_, Err(problem)) => return Err(problem),
    };
    Ok(found.settled())
}

async fn live(app: &App, id: ExecutionId) -> Result<Option<(Snapshot, JobCounts)>, Problem> {
    let Some(stored) = patiently(app.bus.load_run(id)).await? else { return Ok(None) };
    let snapshot = millrace_engine::snapshot(&stored.fields, VIEWED_NODES).map_err(Problem::internal)?;
    let meta = stored.fields.get(Meta::FIELD).and_then(|bytes| serde_json::from_slice::<Meta>(bytes).ok());
    Ok(Some((snapshot, meta.as_ref().map_or_else(JobCounts::default, jobs_of))))
}

/// A run's jobs as its live state counts them.
pub(super) fn jobs_of(meta: &Meta) -> JobCounts {
    let count = |jobs: u64| u32::try_from(jobs).unwrap_or(u32::MAX);
    JobCounts {
        pending: count(meta.jobs_pending),
        completed: count(meta.jobs_completed),
        failed: count(meta.jobs_failed),
    }
}

impl Found {
    /// A Redis that came back with an older state does not unmake an end that was recorded.
    fn settled(mut self) -> Self {
        if let (Some(record), Some((live, _))) = (&self.record, &self.live) {
            let over = record.summary.status.is_terminal() && record.epoch >= live.epoch;
            if over && !live.status.is_terminal() {
                self.live = None;
            }
        }
        self
    }
}

impl Found {
    /// Where the run stands.
    pub(crate) fn status(&self) -> ExecutionStatus {
        let live = self.live.as_ref().map(|(snapshot, _)| snapshot.status);
        let recorded = self.record.as_ref().map(|record| record.summary.status);
        live.or(recorded).unwrap_or(ExecutionStatus::Pending)
    }
}
