//! What is said again: the jobs of a run that stands still, but for those that are still in a queue, waiting or with a worker.
//! A worker may report between the look and the sending: then its job is done twice, and counts once.
//!
//! A run whose messages come again is woken instead of being looked at on the spot: whoever had them before may have died before it
//! sent its jobs, but reports on those that it did send may stand unread behind these messages. The wake-up stands behind the reports.
//!
//! A queue that is too long to be looked through is taken to hold everything; what it does not hold is sent when the sweeper
//! wakes the run.

use std::time::Duration;

use metrics::counter;
use millrace_bus::Delivery;
use millrace_contracts::message::Message;
use millrace_contracts::{Job, UnixMillis};
use millrace_engine::{Effects, Input};

use crate::OrchestratorError;
use crate::held::Held;
use crate::oversize;
use crate::role::Shared;

/// The longest that a round is held up by touching.
const LONGEST_TOUCH: Duration = Duration::from_secs(2);

/// Whether somebody had any of these messages before.
pub(crate) fn come_again(deliveries: &[Delivery]) -> bool {
    deliveries.iter().any(|delivery| delivery.deliveries > 1)
}

/// What the run says again, wherever it is now.
pub(crate) fn wanted(held: &mut Held, now: UnixMillis) -> Effects {
    let execution_id = held.run.accepted().execution_id;
    let woken = held.run.step(Input::Message(Message::Wake { execution_id }), now);
    if let Some(noop) = woken.noop {
        counter!("millrace_orchestrator_noops_total", "reason" => noop.as_str()).increment(1);
    }
    let mut again = Effects::default();
    again.append_unsent(woken);
    again
}

/// Touches what the jobs refer to, as far as it gets in a short time: those in a queue are all that refer to it, and what nobody
/// touches for long is removed. What is sent after all is seen to like any other job.
pub(crate) async fn touch(shared: &Shared, again: &mut [Effects]) {
    let touched = async {
        for effects in again {
            let jobs = effects.jobs.iter_mut().map(|(job, _)| job);
            oversize::check_jobs(&shared.blobs, jobs).await?;
        }
        Ok::<_, OrchestratorError>(())
    };
    match tokio::time::timeout(LONGEST_TOUCH, touched).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!(%error, "what queued jobs refer to could not be touched"),
        Err(_) => tracing::debug!("not everything that queued jobs refer to was touched in time"),
    }
}

/// Leaves out what is in a queue; one look per queue for all the runs of a round.
pub(crate) async fn keep_missing(shared: &Shared, again: &mut [Effects]) -> Result<(), OrchestratorError> {
    let jobs: Vec<Job> = again.iter().flat_map(|effects| &effects.jobs).map(|(job, _)| job.clone()).collect();
    if jobs.is_empty() {
        return Ok(());
    }
    let missing = shared.bus.missing_jobs(&jobs).await?;
    for effects in again {
        effects.jobs.retain(|(job, _)| missing.contains(&job.id));
        counter!("millrace_orchestrator_jobs_resent_total").increment(effects.jobs.len() as u64);
    }
    Ok(())
}
