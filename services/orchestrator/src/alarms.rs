//! Durable alarms: due timers are moved into their partition's inbox, where they are messages like any other.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use metrics::counter;
use millrace_bus::Commit;
use millrace_contracts::{Partition, UnixMillis};
use tokio::sync::{Notify, watch};

use crate::OrchestratorError;
use crate::role::Shared;

/// Without news, the sets are looked at so often: another replica may have set a timer that this one does not know of.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// After a fault of the bus.
const PAUSE_AFTER_FAULT: Duration = Duration::from_millis(500);

/// Wakes the alarm task when a commit sets a timer earlier than the one it waits for. Cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct Alarms(Arc<Waiting>);

#[derive(Default)]
struct Waiting {
    until: AtomicI64,
    earlier: Notify,
}

impl Alarms {
    /// Looks at what these commits set.
    pub(crate) fn notice_all<'a>(&self, commits: impl Iterator<Item = &'a Commit>) {
        if let Some(earliest) = commits.flat_map(|commit| &commit.set_timers).map(|(due, _)| *due).min() {
            self.notice(earliest);
        }
    }

    /// A timer was set for `due`.
    pub(crate) fn notice(&self, due: UnixMillis) {
        if due.0 < self.0.until.load(Ordering::Acquire) {
            self.0.earlier.notify_one();
        }
    }

    async fn wait_until(&self, due: UnixMillis, now: UnixMillis) {
        let pause = Duration::from_millis(due.since(now));
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = self.0.earlier.notified() => {}
        }
    }
}

/// Fires due timers of this replica's partitions.
pub(crate) async fn run(
    shared: Shared,
    owned: watch::Receiver<BTreeSet<Partition>>,
) -> Result<(), Infallible> {
    loop {
        let now = UnixMillis::now();
        // Raised before the sets are read: a timer set meanwhile then wakes this task, whatever the reading saw.
        shared.alarms.0.until.store(now.after(LONGEST_PAUSE).0, Ordering::Release);
        let partitions: Vec<Partition> = owned.borrow().iter().copied().collect();
        let next = match fire_due(&shared, &partitions, now).await {
            Ok(next) => next.map_or(now.after(LONGEST_PAUSE), |due| due.min(now.after(LONGEST_PAUSE))),
            Err(error) => {
                tracing::warn!(error = %error, "due timers could not be fired; trying again");
                now.after(PAUSE_AFTER_FAULT)
            }
        };
        shared.alarms.wait_until(next, UnixMillis::now()).await;
    }
}

/// Fires what is due; answers when the next timer is.
async fn fire_due(
    shared: &Shared,
    partitions: &[Partition],
    now: UnixMillis,
) -> Result<Option<UnixMillis>, OrchestratorError> {
    let mut next = None;
    for &partition in partitions {
        loop {
            let sweep = shared.bus.fire_timers(partition, now, shared.settings.timer_batch).await?;
            counter!("millrace_orchestrator_timers_fired_total").increment(sweep.fired as u64);
            if sweep.fired < shared.settings.timer_batch {
                next = next.into_iter().chain(sweep.next_due).min();
                break;
            }
        }
    }
    Ok(next)
}
