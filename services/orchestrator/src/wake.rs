//! Waking a run that stands still: what it waits for is said again, but for the jobs that are still in a queue, waiting or with
//! a worker. A worker may report between that look and the sending: then its job is done twice, and counts once.

use metrics::counter;
use millrace_contracts::message::Message;
use millrace_contracts::{Job, UnixMillis};
use millrace_engine::{Effects, Input};

use crate::OrchestratorError;
use crate::held::Held;
use crate::role::Shared;

/// What the run needs said again.
pub(crate) async fn wake(
    shared: &Shared,
    held: &mut Held,
    message: &Message,
    now: UnixMillis,
) -> Result<Effects, OrchestratorError> {
    let mut woken = held.run.step(Input::Message(message.clone()), now);
    if let Some(noop) = woken.noop {
        counter!("millrace_orchestrator_noops_total", "reason" => noop.as_str()).increment(1);
    }
    if !woken.jobs.is_empty() {
        let jobs: Vec<Job> = woken.jobs.iter().map(|(job, _)| job.clone()).collect();
        let missing = shared.bus.missing_jobs(&jobs).await?;
        woken.jobs.retain(|(job, _)| missing.contains(&job.id));
        counter!("millrace_orchestrator_jobs_resent_total").increment(woken.jobs.len() as u64);
    }
    Ok(woken)
}
