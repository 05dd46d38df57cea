//! Accepting a run: its row is committed before anybody is told so. The run may start while the commit is in flight, as long as
//! commits are quick; a commit that fails takes it back.

use std::time::Duration;

use millrace_contracts::message::{Accepted, RerunOf};
use millrace_contracts::{ExecutionId, ScheduleId, UnixMillis, WorkflowId};
use millrace_store::{AcceptOutcome, AcceptedRun, Definition, GroupCommitError};
use millrace_tasks::within;
use millrace_telemetry::Traceparent;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::again::{self, Keyed};
use super::options::RunOptions;
use super::target::Target;
use crate::problem::{Code, Problem};
use crate::state::App;

/// A run that was begun before its commit is taken back when a single commit takes longer: it must not get far before its caller is
/// told that it was not accepted. Callers are promised a refusal within two seconds, its own answering included.
const COMMIT_WAIT: Duration = Duration::from_millis(1_500);
/// A run that is committed is not held up for longer than this by a bus that does not answer: the sweeper starts it later.
const HAND_OVER_WAIT: Duration = Duration::from_secs(2);

/// A run to be accepted.
#[derive(Debug, Clone)]
pub(crate) struct Submission {
    /// Its id.
    pub(crate) id: ExecutionId,
    /// What is run.
    pub(crate) target: Target,
    /// The input, resolved.
    pub(crate) input: Map<String, Value>,
    /// How it is to be run.
    pub(crate) options: RunOptions,
    /// The trace it belongs to.
    pub(crate) trace: Traceparent,
    /// The batch it belongs to.
    pub(crate) batch_id: Option<Uuid>,
    /// The schedule it is a run of.
    pub(crate) schedule_id: Option<ScheduleId>,
    /// The run that it repeats.
    pub(crate) rerun_of: Option<RerunOf>,
}

/// An accepted run, as its caller is told of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Receipt {
    /// The run.
    pub(crate) id: ExecutionId,
    /// The saved workflow, if it is one.
    pub(crate) workflow_id: Option<WorkflowId>,
    /// Its version.
    pub(crate) version: Option<u32>,
    /// The trace it belongs to.
    pub(crate) trace_id: String,
    /// The batch it belongs to.
    pub(crate) batch_id: Option<Uuid>,
    /// Whether an earlier request with the same key made it.
    pub(crate) replayed: bool,
}

/// Commits a run and hands it over: both at once, or one after the other while Postgres may be away.
pub(crate) async fn accept(app: &App, submission: Submission) -> Result<Receipt, Problem> {
    if !app.commits.is_prompt() {
        return commit_first(app, submission, None).await;
    }
    submission.target.compiled.store(&app.blobs).await?;
    let run = submission.row(app, None, UnixMillis::now());
    let accepted = run.accepted.clone();
    let commit = async {
        tokio::select! {
            committed = app.commits.accept(run) => committed.map(drop),
            () = app.commits.stalled(COMMIT_WAIT) => {
                let detail = format!("the record did not take it within {COMMIT_WAIT:?}");
                Err(GroupCommitError::Unavailable(detail))
            }
        }
    };
    let (committed, _) = tokio::join!(commit, hand_over(app, &accepted));
    if let Err(error) = committed {
        // Also when the hand-over failed: it may have arrived all the same. Where this fails too, the run goes on unknown to
        // its caller, and the record says so.
        drop(
            tokio::time::timeout(HAND_OVER_WAIT, app.bus.cancel(accepted.execution_id, "not accepted")).await,
        );
        return Err(error.into());
    }
    Ok(submission.receipt())
}

/// As [`accept`], for a submission that may have been sent before. The commit goes first: handed over at once, a second run
/// would start before the key is found taken.
pub(crate) async fn accept_keyed(
    app: &App,
    submission: Submission,
    keyed: &Keyed,
) -> Result<Receipt, Problem> {
    commit_first(app, submission, Some(keyed)).await
}

async fn commit_first(app: &App, submission: Submission, keyed: Option<&Keyed>) -> Result<Receipt, Problem> {
    submission.target.compiled.store(&app.blobs).await?;
    let run = submission.row(app, keyed, UnixMillis::now());
    let accepted = run.accepted.clone();
    match app.commits.accept(run).await? {
        AcceptOutcome::Accepted => {
            hand_over(app, &accepted).await;
            Ok(submission.receipt())
        }
        // The same request was on its way at the same time.
        AcceptOutcome::Earlier(id) => {
            let keyed = keyed.expect("what belongs to an earlier run is a key");
            let holder = app.store.executions().by_idempotency_key(&keyed.key).await?;
            let deleted = || Problem::new(Code::Gone, format!("the execution {id} of this key was deleted"));
            again::receipt(holder.ok_or_else(deleted)?, keyed.digest, &submission.trace)
        }
    }
}

/// Tells the orchestrators; false where that fails, and the sweeper has to find the row.
pub(super) async fn hand_over(app: &App, accepted: &Accepted) -> bool {
    let Err(error) = within(HAND_OVER_WAIT, app.bus.execute(accepted)).await else { return true };
    metrics::counter!("millrace_hand_overs_failed_total").increment(1);
    tracing::warn!(
        execution.id = %accepted.execution_id, error,
        "an accepted run could not be handed over; it starts when the sweeper finds it"
    );
    false
}

impl Submission {
    /// Its row, accepted at `created_at`.
    pub(super) fn row(&self, app: &App, keyed: Option<&Keyed>, created_at: UnixMillis) -> AcceptedRun {
        let compiled = &self.target.compiled;
        let accepted = Accepted {
            execution_id: self.id,
            workflow_id: self.target.workflow_id,
            version: self.target.version,
            definition: compiled.id,
            input: self.input.clone(),
            priority: self.options.priority,
            weight: compiled.plan.limits.weight.unwrap_or(1),
            pool: self.options.pool.clone(),
            timeout_ms: self.options.timeout_ms,
            created_at,
            traceparent: Some(self.trace.to_string()),
            schedule_id: self.schedule_id,
            rerun_of: self.rerun_of.clone(),
            callback_url: self.options.callback_url.clone(),
            epoch: 1,
            started_at: None,
            region: app.bus.region(),
        };
        let definition = Definition { id: compiled.id, json: compiled.definition.clone() };
        AcceptedRun {
            definition: (self.target.recorded_as != Some(compiled.id)).then_some(definition),
            labels: self.options.labels.clone(),
            trace_id: Some(self.trace.trace_id()),
            idempotency_key: keyed.map(|keyed| keyed.key.clone()),
            idempotency_digest: keyed.map(|keyed| keyed.digest),
            batch_id: self.batch_id,
            ..AcceptedRun::new(accepted)
        }
    }

    pub(super) fn receipt(self) -> Receipt {
        Receipt {
            id: self.id,
            workflow_id: self.target.workflow_id,
            version: self.target.version,
            trace_id: self.trace.trace_id(),
            batch_id: self.batch_id,
            replayed: false,
        }
    }
}
