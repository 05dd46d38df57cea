//! Where batches come from: new events, and from time to time what a dead replica left. Outages of Redis are waited out.

use std::time::Duration;

use millrace_bus::{BusError, EntryId, RecordEntry, Recorder};
use millrace_contracts::Partition;
use millrace_tasks::{Backoff, CancellationToken, backoff};
use tokio::time::Instant;

use crate::WriterError;
use crate::batch::Batch;
use crate::role::Shared;

/// Longest wait for the first event.
const BLOCK: Duration = Duration::from_secs(1);
/// Pause between two reads of a batch, unless the first brought many: a read costs Redis and the writer as much as several
/// events do, and nothing is recorded before the batch is closed.
const PACE: Duration = Duration::from_millis(20);
/// A read of one in so many of a batch's events was one of many.
const MANY: usize = 16;
const MIN_PAUSE: Duration = Duration::from_millis(100);
const MAX_PAUSE: Duration = Duration::from_secs(5);

/// The reader with its manners.
pub(crate) struct Intake {
    recorder: Recorder,
    batch_size: usize,
    batch_delay: Duration,
    lease: Duration,
    next_read: Instant,
    next_claim: Instant,
    pauses: Backoff,
}

impl Intake {
    /// Connects, however long that takes; none when `stop` comes first. The partitions are dealt out among the lanes: what is
    /// said of one run is recorded by one of them.
    pub(crate) async fn connect(
        shared: &Shared,
        lane: usize,
        stop: &CancellationToken,
    ) -> Result<Option<Self>, WriterError> {
        let consumer = format!("{}-{lane}", shared.replica);
        let lanes = shared.settings.lanes.max(1);
        let partitions = shared.bus.all_partitions().skip(lane).step_by(lanes).collect::<Vec<_>>();
        for pause in backoff(MIN_PAUSE, MAX_PAUSE) {
            let connect = shared.bus.recorder_of(&consumer, partitions.clone());
            let Some(connected) = stop.run_until_cancelled(connect).await else { return Ok(None) };
            match connected {
                Ok(recorder) => return Ok(Some(Self::new(recorder, shared))),
                Err(error) if error.is_retryable() => {
                    tracing::warn!(error = %error, "the writer cannot reach Redis yet; it tries again");
                }
                Err(error) => return Err(error.into()),
            }
            if stop.run_until_cancelled(tokio::time::sleep(pause)).await.is_none() {
                break;
            }
        }
        Ok(None)
    }

    fn new(recorder: Recorder, shared: &Shared) -> Self {
        Self {
            recorder,
            batch_size: shared.settings.batch_size.max(1),
            batch_delay: shared.settings.batch_delay,
            lease: shared.settings.lease,
            next_read: Instant::now(),
            next_claim: Instant::now(),
            pauses: backoff(MIN_PAUSE, MAX_PAUSE),
        }
    }

    /// Adds to `batch` until it is full or has waited long enough; comes back empty when it is time to look for what others
    /// left. Cancel-safe: what was read is in `batch`, or comes again.
    pub(crate) async fn fill(&mut self, batch: &mut Batch) -> Result<(), WriterError> {
        loop {
            let until_claim = self.next_claim.saturating_duration_since(Instant::now());
            let wait = batch.patience(self.batch_delay).unwrap_or(until_claim.min(BLOCK));
            if batch.room(self.batch_size) == 0 || wait.is_zero() {
                return Ok(());
            }
            self.read(batch, wait).await?;
        }
    }

    /// Adds to `batch` until it is full, and then waits for ever: for use beside a commit.
    pub(crate) async fn grow(&mut self, batch: &mut Batch) -> Result<(), WriterError> {
        while batch.room(self.batch_size) > 0 {
            self.read(batch, BLOCK).await?;
        }
        std::future::pending().await
    }

    /// Takes over what other replicas have held for longer than the lease, when it is time to look.
    pub(crate) async fn claim(&mut self, batch: &mut Batch) -> Result<(), WriterError> {
        let now = Instant::now();
        let room = batch.room(self.batch_size);
        if now < self.next_claim || room == 0 {
            return Ok(());
        }
        let claimed = self.recorder.claim(self.lease, room).await;
        // A full claim means that there is more.
        let is_full = claimed.as_ref().is_ok_and(|entries| entries.len() >= room);
        self.next_claim = if is_full { now } else { now + self.lease / 2 };
        if let Ok(entries) = &claimed
            && !entries.is_empty()
        {
            tracing::info!(events = entries.len(), "took over events that another writer had not recorded");
        }
        self.take(batch, claimed).await
    }

    /// Acknowledges what is recorded. If that fails, the entries come again and change nothing.
    pub(crate) async fn ack(&self, entries: &[(Partition, EntryId)]) {
        if let Err(error) = self.recorder.ack(entries).await {
            tracing::warn!(events = entries.len(), error = %error, "recorded events could not be acknowledged");
        }
    }

    /// Reads for `wait` at most, and not before it is time for a next read.
    async fn read(&mut self, batch: &mut Batch, wait: Duration) -> Result<(), WriterError> {
        let pause = self.next_read.saturating_duration_since(Instant::now()).min(wait);
        tokio::time::sleep(pause).await;
        let read = self.recorder.read(batch.room(self.batch_size), wait.saturating_sub(pause)).await;
        let brought = read.as_ref().map_or(0, Vec::len);
        if (1..self.batch_size.div_ceil(MANY)).contains(&brought) {
            self.next_read = Instant::now() + PACE;
        }
        self.take(batch, read).await
    }

    /// Adds what came; waits a little when Redis is away.
    async fn take(
        &mut self,
        batch: &mut Batch,
        read: Result<Vec<RecordEntry>, BusError>,
    ) -> Result<(), WriterError> {
        match read {
            Ok(entries) => {
                self.pauses = backoff(MIN_PAUSE, MAX_PAUSE);
                batch.add(entries);
                Ok(())
            }
            Err(error) if error.is_retryable() => {
                tracing::warn!(error = %error, "the writer cannot read events; it tries again");
                tokio::time::sleep(self.pauses.next().unwrap_or(MAX_PAUSE)).await;
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }
}
