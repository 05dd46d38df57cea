//! Starting the run of a firing, as the api accepts one: the row is committed first, then the run is handed over. Both may be
//! repeated: the id is the same each time. The api's door is not asked: a firing has no caller to come again later, and the
//! schedule's own rules bound how many runs of it are open; the line makes them wait like others.

use millrace_blobs::{Blobs, BlobsError};
use millrace_compiler::Plan;
use millrace_contracts::message::Accepted;
use millrace_contracts::{ExecutionId, Faults, UnixMillis};
use millrace_store::{AcceptedRun, Firing, FiringOutcome};
use millrace_telemetry::Traceparent;
use serde_json::{Map, Value};

use crate::OrchestratorError;
use crate::role::Shared;

/// Starts `run`, or says why it cannot be.
pub(super) async fn start(
    shared: &Shared,
    firing: &Firing,
    run: ExecutionId,
) -> Result<FiringOutcome, OrchestratorError> {
    let plan = match shared.plans.get(firing.definition).await {
        Ok(plan) => plan,
        Err(error) if error.is_of_the_run() => return Ok(FiringOutcome::Failed(error.to_string())),
        Err(error) => return Err(error),
    };
    let input = match input(&shared.blobs, &plan, firing).await {
        Ok(Ok(input)) => input,
        Ok(Err(faults)) => {
            let reason = format!("version {} does not take the input: {faults}", firing.version);
            return Ok(FiringOutcome::Failed(reason));
        }
        Err(error) if error.is_retryable() => return Err(error.into()),
        Err(error) => return Ok(FiringOutcome::Failed(format!("the input cannot be made ready: {error}"))),
    };
    let spec = &firing.schedule.spec;
    // A firing has no caller, so its run begins a trace; one that is handled twice begins it once.
    let trace = Traceparent::of(run.0.as_u128());
    let accepted = Accepted {
        execution_id: run,
        workflow_id: Some(firing.schedule.workflow_id),
        version: Some(firing.version),
        definition: firing.definition,
        input,
        priority: spec.priority,
        pool: spec.pool.clone(),
        timeout_ms: spec.timeout_ms,
        weight: plan.limits.weight.unwrap_or(1),
        created_at: UnixMillis::now(),
        traceparent: Some(trace.to_string()),
        schedule_id: Some(firing.schedule.id),
        rerun_of: None,
        callback_url: spec.callback_url.clone(),
        epoch: 1,
        started_at: None,
        region: shared.bus.region(),
    };
    let row = AcceptedRun {
        labels: spec.labels.clone(),
        trace_id: Some(trace.trace_id()),
        ..AcceptedRun::new(accepted.clone())
    };
    shared.store.accept(&[row]).await?;
    // The run of a firing that is handled again may have ended, and its live state may be gone: it would begin anew.
    if shared.store.executions().unfinished_run(run).await?.is_some() {
        shared.bus.execute(&accepted).await?;
    }
    Ok(FiringOutcome::Started)
}

/// The input; checked again when the workflow has another version than the one it was checked against, which looks at the values
/// themselves and fills in defaults of its own.
async fn input(
    blobs: &Blobs,
    plan: &Plan,
    firing: &Firing,
) -> Result<Result<Map<String, Value>, Faults>, BlobsError> {
    let spec = &firing.schedule.spec;
    if firing.version == spec.checked_version {
        return Ok(Ok(spec.input.clone()));
    }
    let whole = blobs.restore_input(spec.input.clone()).await?;
    match plan.check_input(&whole) {
        Ok(checked) => blobs.claim_check_input(checked).await.map(Ok),
        Err(faults) => Ok(Err(faults)),
    }
}
