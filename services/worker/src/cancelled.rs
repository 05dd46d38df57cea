//! What runs no longer want. A hint: who misses it wastes work, no more, so it is kept for a while and not for ever.

use std::convert::Infallible;
use std::time::Duration;

use futures::StreamExt;
use millrace_bus::{Abandon, Bus, LiveItem};
use millrace_contracts::{ExecutionId, Job, JobId};
use moka::sync::Cache;

use crate::held::Held;

/// Cancellations remembered at most, for jobs that still wait in a queue.
const REMEMBERED: u64 = 100_000;
const REMEMBERED_FOR: Duration = Duration::from_secs(600);

/// Recent cancellations. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Cancelled {
    /// The job, or none for all of the run's.
    recent: Cache<(ExecutionId, Option<JobId>), ()>,
}

impl Cancelled {
    pub(crate) fn new() -> Self {
        Self { recent: Cache::builder().max_capacity(REMEMBERED).time_to_live(REMEMBERED_FOR).build() }
    }

    /// Whether nobody wants the job any more.
    pub(crate) fn covers(&self, job: &Job) -> bool {
        if job.outlives_run {
            return false;
        }
        self.recent.contains_key(&(job.execution_id, None))
            || self.recent.contains_key(&(job.execution_id, Some(job.id)))
    }

    fn note(&self, abandon: &Abandon) {
        if abandon.job_ids.is_empty() {
            self.recent.insert((abandon.execution_id, None), ());
        }
        for job in &abandon.job_ids {
            self.recent.insert((abandon.execution_id, Some(*job)), ());
        }
    }
}

/// Listens for cancellations for as long as it is polled.
pub(crate) async fn listen(bus: Bus, cancelled: Cancelled, held: Held) -> Result<(), Infallible> {
    let channel = bus.cancelled_channel();
    let mut feed = bus.subscribe_patiently(&[&channel]).await;
    while let Some(item) = feed.next().await {
        let LiveItem::Event(event) = item else { continue };
        match Abandon::from_payload(&event.payload) {
            Some(abandon) => {
                cancelled.note(&abandon);
                held.cancel(&abandon);
            }
            None => tracing::warn!("a cancellation could not be read and was passed over"),
        }
    }
    Ok(())
}
