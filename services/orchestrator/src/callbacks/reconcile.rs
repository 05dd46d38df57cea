//! The recovery path: runs that have ended and whose call-back was neither delivered nor given up are told of again, when no
//! queue holds the job any more. Whoever committed a run's end may have died before it was sent, or Redis was lost since.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::time::Instant;

use metrics::counter;
use millrace_contracts::message::Accepted;
use millrace_contracts::run::CallbackTold;
use millrace_contracts::{ErrorKind, EventType, Job, JobError, Partition, UnixMillis};
use tokio::sync::watch::Receiver;

use super::{event, letter};
use crate::OrchestratorError;
use crate::role::Shared;
use crate::sweeper::{Watch, jittered, millis};

/// Runs looked at together.
const PAGE: u32 = 200;
/// What is watched does not change any more.
const ENDED: u64 = 0;

/// Compares again and again.
pub(crate) async fn run(shared: Shared, owned: Receiver<BTreeSet<Partition>>) -> Result<(), Infallible> {
    let mut watch = Watch::new(shared.settings.stalled_after);
    loop {
        tokio::time::sleep(jittered(shared.settings.sweep_interval)).await;
        let partitions = owned.borrow().clone();
        if let Err(error) = compare(&shared, &partitions, &mut watch).await {
            tracing::warn!(error = %error, "a look for call-backs that were lost failed; the next one follows");
        }
    }
}

/// Looks at the next page.
async fn compare(
    shared: &Shared,
    owned: &BTreeSet<Partition>,
    watch: &mut Watch,
) -> Result<(), OrchestratorError> {
    if owned.is_empty() {
        watch.turn_page(None);
        return Ok(());
    }
    let before = UnixMillis(UnixMillis::now().0 - millis(shared.settings.stalled_after));
    let page = shared.store.executions().awaiting_callback(before, watch.after(), PAGE).await?;
    let last = page.last().map(|run| run.execution_id).filter(|_| page.len() == PAGE as usize);
    let now = Instant::now();
    let mut jobs = Vec::new();
    for run in page {
        let is_mine = owned.contains(&shared.bus.partition_of(run.execution_id));
        // A report may be on its way to the record, a while behind an end that was itself recorded late: nobody is told again at
        // first sight.
        if is_mine && watch.is_due(run.execution_id, Some(ENDED), now) {
            match again(shared, &run).await {
                Err(error) if error.is_of_one() => {
                    tracing::warn!(run.id = %run.execution_id, error = %error, "a call-back cannot be sent again; it is tried later");
                }
                job => jobs.extend(job?),
            }
        }
    }
    if !jobs.is_empty() {
        let missing = shared.bus.missing_jobs(&jobs).await?;
        jobs.retain(|job| missing.contains(&job.id));
        counter!("millrace_orchestrator_callbacks_total", "outcome" => "resent").increment(jobs.len() as u64);
        shared.bus.enqueue(&jobs, &[]).await?;
    }
    watch.turn_page(last);
    Ok(())
}

/// The job that tells of a recorded end. Where the event is not kept any more, there is nothing to tell.
async fn again(shared: &Shared, run: &Accepted) -> Result<Option<Job>, OrchestratorError> {
    if let Some(end) = shared.store.events().end(run.execution_id).await? {
        return Ok(letter(shared, run, &end));
    }
    let error = JobError::new(ErrorKind::Internal, "the event that ended the run is not kept any more");
    let told = CallbackTold { error: Some(error), ..CallbackTold::default() };
    let failed = event(run.execution_id, EventType::CallbackFailed, UnixMillis::now(), &told);
    shared.bus.record(&[(run.execution_id, failed)]).await?;
    counter!("millrace_orchestrator_callbacks_total", "outcome" => "failed").increment(1);
    Ok(None)
}
