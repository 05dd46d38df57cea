//! A lane: one blocking reader over some of this replica's partitions, and the runs it holds.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use metrics::counter;
use millrace_bus::{Delivery, EntryId, Inbox};
use millrace_contracts::Partition;
use millrace_tasks::{Backoff, backoff};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::held::HeldRuns;
use crate::role::Shared;
use crate::{OrchestratorError, batch};

const LONGEST_PAUSE: Duration = Duration::from_secs(2);

fn pauses() -> Backoff {
    backoff(Duration::from_millis(50), LONGEST_PAUSE)
}

/// Reads and handles until `shutdown`.
pub(crate) async fn run(
    shared: Shared,
    number: usize,
    mut owned: watch::Receiver<BTreeSet<Partition>>,
    shutdown: CancellationToken,
) -> Result<(), OrchestratorError> {
    let consumer = format!("{}:{number}", shared.replica);
    let mut lane = Lane {
        inbox: shared.bus.inbox(&consumer).await?,
        consumer,
        runs: HeldRuns::new(shared.settings.cached_runs / shared.settings.lanes.max(1) as u64),
        held: BTreeSet::new(),
        unclaimed: BTreeMap::new(),
        claimed: None,
        looked_back: Instant::now(),
        number,
        shared,
    };
    let mut pauses = pauses();
    while !shutdown.is_cancelled() {
        lane.take_over(&owned.borrow_and_update().clone());
        if lane.held.is_empty() {
            tokio::select! {
                () = shutdown.cancelled() => break,
                changed = owned.changed() => if changed.is_err() { break },
            }
            continue;
        }
        // What is in hand is finished before the role ends; only waiting for more is cut short.
        let turn = tokio::select! {
            () = shutdown.cancelled() => break,
            read = lane.read() => read,
        };
        let handled = match turn {
            Ok(deliveries) => lane.handle(deliveries).await,
            Err(error) => Err(error),
        };
        match handled {
            Ok(()) => pauses = self::pauses(),
            Err(error) => lane.recover(&error, &mut pauses, &shutdown).await,
        }
    }
    Ok(())
}

struct Lane {
    shared: Shared,
    number: usize,
    consumer: String,
    inbox: Inbox,
    runs: HeldRuns,
    held: BTreeSet<Partition>,
    /// Partitions in which messages may have been left behind, and for how long they must have been.
    unclaimed: BTreeMap<Partition, Duration>,
    /// Where the last full page of what was left behind began: when the next begins there too, its messages are put off.
    claimed: Option<(Partition, EntryId)>,
    /// When this lane last looked for what was left behind in its own partitions.
    looked_back: Instant,
}

impl Lane {
    /// Takes this lane's share of the replica's partitions.
    fn take_over(&mut self, owned: &BTreeSet<Partition>) {
        let lanes = self.shared.settings.lanes.max(1);
        let mine: BTreeSet<Partition> = owned
            .iter()
            .copied()
            .filter(|partition| usize::from(partition.0) % lanes == self.number)
            .collect();
        if mine == self.held {
            return;
        }
        self.unclaimed.extend(mine.difference(&self.held).map(|partition| (*partition, Duration::ZERO)));
        self.unclaimed.retain(|partition, _| mine.contains(partition));
        if !self.held.is_subset(&mine) {
            // Another replica goes on with some of these runs; what is remembered of them would be out of date.
            self.runs.clear();
        }
        self.held = mine;
    }

    /// Everything unacknowledged in this lane's partitions is to be taken again.
    fn take_all_again(&mut self) {
        self.claimed = None;
        self.unclaimed = self.held.iter().map(|partition| (*partition, Duration::ZERO)).collect();
    }

    /// Now and then, looks for messages that were handed out and never arrived, as when the connection broke in the middle of
    /// the reply. A lane deals with one batch after the other: what has idled for a lease in its partitions is in nobody's
    /// hands.
    fn look_back(&mut self) {
        let lease = self.shared.settings.lease;
        if self.looked_back.elapsed() < lease / 2 {
            return;
        }
        self.looked_back = Instant::now();
        for &partition in &self.held {
            self.unclaimed.entry(partition).or_insert(lease);
        }
    }

    /// What was left behind first, then new messages; those come between two looks back, however much is put off.
    async fn read(&mut self) -> Result<Vec<Delivery>, OrchestratorError> {
        let max = self.shared.settings.batch_size;
        while let Some((&partition, &idle)) = self.unclaimed.first_key_value() {
            let left = self.inbox.claim(partition, idle, max).await?;
            let first = left.first().map(|delivery| (partition, delivery.entry.clone()));
            // Those that are put off, and what stands behind them, come again when they have idled for a lease.
            if left.len() < max || first == self.claimed {
                self.unclaimed.remove(&partition);
            }
            self.claimed = first;
            if !left.is_empty() {
                counter!("millrace_orchestrator_claimed_total").increment(left.len() as u64);
                return Ok(left);
            }
        }
        self.look_back();
        let partitions: Vec<Partition> = self.held.iter().copied().collect();
        Ok(self.inbox.read(&partitions, max, self.shared.settings.block).await?)
    }

    async fn handle(&mut self, deliveries: Vec<Delivery>) -> Result<(), OrchestratorError> {
        if deliveries.is_empty() {
            return Ok(());
        }
        if !batch::handle(&self.shared, &self.consumer, &mut self.runs, deliveries).await? {
            self.take_all_again();
        }
        Ok(())
    }

    /// After a fault nobody knows what was written: forget, wait, and take every unacknowledged message again.
    async fn recover(
        &mut self,
        error: &OrchestratorError,
        pauses: &mut Backoff,
        shutdown: &CancellationToken,
    ) {
        tracing::warn!(lane = self.number, error = %error, "a batch was not handled; it will be taken again");
        counter!("millrace_orchestrator_batch_failures_total").increment(1);
        self.runs.clear();
        self.take_all_again();
        let pause = pauses.next().unwrap_or(LONGEST_PAUSE);
        tokio::select! {
            () = shutdown.cancelled() => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
}
