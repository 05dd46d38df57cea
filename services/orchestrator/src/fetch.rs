//! Bringing a run into memory: from the lane's own set, from Redis, or as a new one.

use std::sync::Arc;

use millrace_bus::{Delivery, StoredRun};
use millrace_compiler::Plan;
use millrace_contracts::message::{Accepted, Message, RerunOf};
use millrace_contracts::values::ValueRef;
use millrace_contracts::{ErrorKind, ExecutionId, JobError, UnixMillis};
use millrace_engine::{Effects, Execution, NodeRecord, Settings, reusable};
use serde_json::Value;

use crate::OrchestratorError;
use crate::held::Held;
use crate::role::Shared;
use crate::sweeper::may_have_ended;

/// A run in memory, and what beginning it asked for if it is new.
pub(crate) struct Fetched {
    pub(crate) held: Held,
    pub(crate) begun: Option<Effects>,
}

/// The run that `deliveries` are about; none when there is no such run any more.
pub(crate) async fn fetch(
    shared: &Shared,
    deliveries: &[Delivery],
    lost_race: bool,
    now: UnixMillis,
) -> Result<Option<Fetched>, OrchestratorError> {
    let Some(run) = deliveries.first().and_then(|delivery| delivery.message.execution_id()) else {
        return Ok(None);
    };
    let accepted = deliveries.iter().find_map(|delivery| match &delivery.message {
        Message::Execute(accepted) => Some(accepted),
        _ => None,
    });
    // A first delivery of `execute` is nearly always a new run: try that first, the commit tells when it is not.
    let surely_new =
        !lost_race && accepted.is_some() && deliveries.iter().all(|delivery| delivery.deliveries <= 1);
    if !surely_new && let Some(stored) = shared.bus.load_run(run).await? {
        return resume(shared, run, &stored, now).await;
    }
    match accepted {
        Some(accepted) => begin(shared, accepted, now).await.map(Some),
        None => withdraw(shared, run, deliveries, now).await,
    }
}

/// The end of a run that was cancelled while it waited in line, where it stays until its end is committed, or while its live
/// state was lost.
async fn withdraw(
    shared: &Shared,
    run: ExecutionId,
    deliveries: &[Delivery],
    now: UnixMillis,
) -> Result<Option<Fetched>, OrchestratorError> {
    let reason = deliveries.iter().find_map(|delivery| match &delivery.message {
        Message::Cancel { reason, .. } => Some(reason),
        _ => None,
    });
    let Some(reason) = reason else { return Ok(None) };
    let Some(accepted) = without_live_state(shared, run).await? else { return Ok(None) };
    let error = JobError::new(ErrorKind::Cancelled, reason);
    let plan = match shared.plans.get(accepted.definition).await {
        Ok(plan) => Some(plan),
        Err(error) if error.is_of_the_run() => None,
        Err(other) => return Err(other),
    };
    let (run, effects) = Execution::withdraw(plan, accepted, settings(shared), error, now);
    Ok(Some(Fetched { held: Held::new(run, 0), begun: Some(effects) }))
}

/// A run that was accepted and has no live state: from the line, or from the record when it was lost.
async fn without_live_state(
    shared: &Shared,
    run: ExecutionId,
) -> Result<Option<Accepted>, OrchestratorError> {
    if let Some(accepted) = shared.bus.run_in_line(run).await? {
        return Ok(Some(accepted));
    }
    let Some(lost) = shared.store.executions().unfinished_run(run).await? else { return Ok(None) };
    // After the record: an end that is recorded by now refuses the claim.
    let partition = shared.bus.partition_of(run);
    let told = shared.bus.oldest_unrecorded(&[partition]).await?.remove(&partition);
    if may_have_ended(shared, told) {
        return Err(OrchestratorError::Unrecorded(run));
    }
    let accepted = lost.begun_again();
    // The sweeper may have found it as well. Then it is in line or alive in a moment.
    if !shared.store.executions().claim_epoch(run, accepted.epoch).await? {
        return Err(OrchestratorError::BegunAgain(run));
    }
    Ok(Some(accepted))
}

/// The run as it is stored. One that can never be walked again ends here, with the reason; none when it had ended before.
async fn resume(
    shared: &Shared,
    run: ExecutionId,
    stored: &StoredRun,
    now: UnixMillis,
) -> Result<Option<Fetched>, OrchestratorError> {
    let version = stored.version;
    let error = match restore(shared, run, stored).await {
        Ok(run) => return Ok(Some(Fetched { held: Held::new(run, version), begun: None })),
        Err(error) if error.is_of_the_run() => error,
        Err(other) => return Err(other),
    };
    let damaged = |source| OrchestratorError::State { run, source };
    let given_up = Execution::give_up(&stored.fields, settings(shared), reason(&error), now);
    let Some((execution, effects)) = given_up.map_err(damaged)? else { return Ok(None) };
    tracing::error!(run.id = %run, error = %error, "a run cannot be continued; it ends as failed");
    Ok(Some(Fetched { held: Held::new(execution, version), begun: Some(effects) }))
}

async fn restore(
    shared: &Shared,
    run: ExecutionId,
    stored: &StoredRun,
) -> Result<Execution, OrchestratorError> {
    let damaged = |source| OrchestratorError::State { run, source };
    let accepted = Execution::accepted_in(&stored.fields).map_err(damaged)?;
    let plan = shared.plans.get(accepted.definition).await?;
    let (mut execution, missing) =
        Execution::load(plan, &stored.fields, settings(shared)).map_err(damaged)?;
    for loop_items in missing {
        let list = shared.blobs.resolve_one(&loop_items.list.to_value()).await?;
        if let Value::Array(items) = list {
            execution.provide_items(&loop_items.opener, items);
        }
    }
    Ok(execution)
}

/// A new run; one that can never be walked fails at once.
async fn begin(shared: &Shared, accepted: &Accepted, now: UnixMillis) -> Result<Fetched, OrchestratorError> {
    let (run, effects) = match ground(shared, accepted).await {
        Ok((plan, history)) => Execution::begin(plan, accepted.clone(), settings(shared), history, now),
        Err(error) if error.is_of_the_run() => {
            Execution::refuse(accepted.clone(), settings(shared), reason(&error), now)
        }
        Err(other) => return Err(other),
    };
    Ok(Fetched { held: Held::new(run, 0), begun: Some(effects) })
}

/// What a run begins from: its workflow, and what need not be done again.
async fn ground(
    shared: &Shared,
    accepted: &Accepted,
) -> Result<(Arc<Plan>, Vec<NodeRecord>), OrchestratorError> {
    let plan = shared.plans.get(accepted.definition).await?;
    let history = history(shared, accepted, &plan).await?;
    Ok((plan, history))
}

/// Why a run cannot be walked, for those who look at it.
fn reason(error: &OrchestratorError) -> JobError {
    match error {
        OrchestratorError::Definition { faults, .. } => {
            let message = format!("the accepted definition does not compile any more: {faults}");
            JobError::new(ErrorKind::InvalidConfig, message)
        }
        other => JobError::new(ErrorKind::Internal, format!("what the run needs cannot be read: {other}")),
    }
}

/// What need not be done again: what a rerun takes over, and what the record says is done of a run whose log was lost. Where
/// both know of a node run, the later one counts, which is the run's own.
async fn history(
    shared: &Shared,
    accepted: &Accepted,
    plan: &Plan,
) -> Result<Vec<NodeRecord>, OrchestratorError> {
    let mut done = Vec::new();
    if let Some(RerunOf { execution_id, from: Some(from) }) = &accepted.rerun_of {
        let records = of_earlier(shared, *execution_id).await?;
        // Without the node there is nothing before it; the api refused that.
        done.extend(reusable(plan, from, *execution_id, records).unwrap_or_default());
    }
    if accepted.epoch > 1 {
        done.extend(recorded(shared, accepted.execution_id).await?);
    }
    Ok(done)
}

/// The node runs of a run that has ended: from its live state while there is one, since the record may lag behind.
async fn of_earlier(shared: &Shared, run: ExecutionId) -> Result<Vec<NodeRecord>, OrchestratorError> {
    if let Some(stored) = shared.bus.load_run(run).await? {
        let damaged = |source| OrchestratorError::State { run, source };
        let snapshot = millrace_engine::snapshot(&stored.fields, usize::MAX).map_err(damaged)?;
        if snapshot.status.is_terminal() {
            return Ok(snapshot.nodes.into_iter().map(NodeRecord::from).collect());
        }
    }
    recorded(shared, run).await
}

/// What the record says is done.
async fn recorded(shared: &Shared, run: ExecutionId) -> Result<Vec<NodeRecord>, OrchestratorError> {
    let mut done = shared.store.node_runs().history(run).await?;
    for view in &mut done {
        // The outputs of an event that outgrew the bus are recorded as one reference; the engine wants the ports.
        let Some(outputs) = view.outputs.take() else { continue };
        let outputs = Value::Object(outputs);
        let resolved = match ValueRef::from_value(&outputs) {
            Some(_) => shared.blobs.resolve_one(&outputs).await?,
            None => outputs,
        };
        view.outputs = resolved.as_object().cloned();
    }
    Ok(done.into_iter().map(NodeRecord::from).collect())
}

/// Follow-ups between two looks at the clock: each may take as long as an expression may.
const STEP_LIMIT: usize = 8;

fn settings(shared: &Shared) -> Settings {
    Settings {
        max_items: shared.settings.max_items,
        max_node_runs: shared.settings.max_node_runs,
        partitions: shared.bus.partitions(),
        reuse: shared.settings.cache_results,
        chain_nodes: shared.settings.chain_nodes,
        step_limit: STEP_LIMIT,
    }
}
