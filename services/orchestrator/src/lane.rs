//! A lane: one blocking reader over some of this replica's partitions, and the runs it holds.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use metrics::counter;
use millrace_bus::{Delivery, Inbox};
use millrace_config::Orchestrator;
use millrace_contracts::Partition;
use millrace_tasks::{Backoff, backoff};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::held::HeldRuns;
use crate::role::Shared;
use crate::{OrchestratorError, batch};

const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// The longest pause between two looks back while runs are put off, in leases.
const LONGEST_PATIENCE: u32 = 5;

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
        holds_claimed: false,
        met_put_off: None,
        lets_new_in: false,
        looked_back: Instant::now(),
        patience: shared.settings.lease / 2,
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
    /// Partitions in which messages may have been left behind.
    unclaimed: BTreeMap<Partition, LeftBehind>,
    /// Whether the messages in hand are of these.
    holds_claimed: bool,
    /// While this lane looks back: whether what it found is put off.
    met_put_off: Option<bool>,
    /// Whether it is the turn of new messages, since what was left behind is put off, which may have taken its time.
    lets_new_in: bool,
    /// When this lane was last done with looking for what was left behind in its own partitions.
    looked_back: Instant,
    /// How long it waits before it looks again.
    patience: Duration,
}

/// Which messages of a partition may have been left behind: those that had idled for so long at a moment.
#[derive(Clone, Copy)]
struct LeftBehind {
    idle: Duration,
    at: Instant,
}

impl LeftBehind {
    fn for_now(idle: Duration) -> Self {
        Self { idle, at: Instant::now() }
    }

    /// For how long they have idled by now. What was taken since then has not, even where it is put off: so each page begins behind
    /// the one before.
    fn idle(self) -> Duration {
        self.idle + self.at.elapsed()
    }
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
        let all = LeftBehind::for_now(Duration::ZERO);
        self.unclaimed.extend(mine.difference(&self.held).map(|partition| (*partition, all)));
        self.unclaimed.retain(|partition, _| mine.contains(partition));
        if !self.held.is_subset(&mine) {
            // Another replica goes on with some of these runs; what is remembered of them would be out of date.
            self.runs.clear();
        }
        self.held = mine;
    }

    /// Everything unacknowledged in this lane's partitions is to be taken again.
    fn take_all_again(&mut self) {
        let all = LeftBehind::for_now(Duration::ZERO);
        self.unclaimed = self.held.iter().map(|partition| (*partition, all)).collect();
    }

    /// Now and then, looks for messages that were handed out and never arrived, as when the connection broke in the middle of
    /// the reply. A lane deals with one batch after the other: what has idled for a lease in its partitions is in nobody's
    /// hands. While that is put off, as the blob store is away and each look for it takes its time, this is done ever more rarely.
    fn look_back(&mut self) {
        let lease = self.shared.settings.lease;
        if let Some(put_off) = self.met_put_off.take() {
            let longer = (self.patience * 2).clamp(lease, lease * LONGEST_PATIENCE);
            self.patience = if put_off { longer } else { lease / 2 };
            self.looked_back = Instant::now();
        }
        if self.looked_back.elapsed() < self.patience {
            return;
        }
        self.met_put_off = Some(false);
        let stale = LeftBehind::for_now(lease);
        self.unclaimed.extend(self.held.iter().map(|partition| (*partition, stale)));
    }

    /// What was left behind first, then new messages; those come between two looks back, and behind each page that is put off.
    async fn read(&mut self) -> Result<Vec<Delivery>, OrchestratorError> {
        let is_between = std::mem::take(&mut self.lets_new_in) && !self.unclaimed.is_empty();
        if !is_between {
            if let Some(left) = self.claim().await? {
                return Ok(left);
            }
            self.look_back();
        }
        self.holds_claimed = false;
        let Orchestrator { batch_size, block, .. } = *self.shared.settings;
        let partitions: Vec<Partition> = self.held.iter().copied().collect();
        let block = if is_between { Duration::ZERO } else { block };
        Ok(self.inbox.read(&partitions, batch_size, block).await?)
    }

    /// The next page of what was left behind.
    async fn claim(&mut self) -> Result<Option<Vec<Delivery>>, OrchestratorError> {
        let max = self.shared.settings.batch_size;
        while let Some((&partition, left_behind)) = self.unclaimed.first_key_value() {
            let left = self.inbox.claim(partition, left_behind.idle(), max).await?;
            if left.len() < max {
                self.unclaimed.remove(&partition);
            }
            if !left.is_empty() {
                counter!("millrace_orchestrator_claimed_total").increment(left.len() as u64);
                self.holds_claimed = true;
                return Ok(Some(left));
            }
        }
        Ok(None)
    }

    async fn handle(&mut self, deliveries: Vec<Delivery>) -> Result<(), OrchestratorError> {
        if deliveries.is_empty() {
            return Ok(());
        }
        let left = batch::handle(&self.shared, &self.consumer, &mut self.runs, deliveries).await?;
        if left.outrun {
            self.take_all_again();
        }
        if self.holds_claimed && left.put_off {
            self.met_put_off = Some(true);
            self.lets_new_in = true;
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
