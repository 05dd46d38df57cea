//! The loop: one batch is committed while the next one grows, at most two are in memory. Lanes do this side by side: while one
//! waits for Postgres, another reads and folds.

use std::pin::pin;
use std::time::{Duration, Instant};

use metrics::{counter, histogram};
use millrace_store::{RecordBatch, Recorded, Store};
use millrace_tasks::{CancellationToken, backoff};

use crate::WriterError;
use crate::batch::Batch;
use crate::intake::Intake;
use crate::role::Shared;

const MIN_PAUSE: Duration = Duration::from_millis(100);
const MAX_PAUSE: Duration = Duration::from_secs(3);

/// Records what is said on the partitions of `lane` until `stop`, then what is in hand.
pub(crate) async fn run(shared: Shared, lane: usize, stop: CancellationToken) -> Result<(), WriterError> {
    let Some(mut intake) = Intake::connect(&shared, lane, &stop).await? else { return Ok(()) };
    let mut batch = Batch::default();
    loop {
        if !stop.is_cancelled() {
            intake.claim(&mut batch).await?;
            tokio::select! {
                biased;
                () = stop.cancelled() => {}
                filled = intake.fill(&mut batch) => filled?,
            }
        }
        if batch.is_empty() {
            if stop.is_cancelled() {
                return Ok(());
            }
            continue;
        }
        let mut next = Batch::default();
        let Some(recorded) = commit(&shared.store, &batch.record, &mut intake, &mut next, &stop).await?
        else {
            // Told to stop while Postgres is away: everything in hand waits in Redis for another writer.
            tracing::warn!(
                events = batch.len() + next.len(),
                "stopping with events unrecorded; they stay in Redis"
            );
            return Ok(());
        };
        note(&batch, recorded);
        intake.ack(&batch.entries).await;
        batch = next;
    }
}

/// Records the batch while `next` grows. None when `stop` came and the record is not to be reached.
async fn commit(
    store: &Store,
    batch: &RecordBatch,
    intake: &mut Intake,
    next: &mut Batch,
    stop: &CancellationToken,
) -> Result<Option<Recorded>, WriterError> {
    let mut recorded = pin!(until_recorded(store, batch, stop));
    tokio::select! {
        biased;
        recorded = &mut recorded => return Ok(recorded),
        // Nothing new is taken in once the end has come.
        () = stop.cancelled() => {}
        failed = intake.grow(next) => failed?,
    }
    Ok(recorded.await)
}

/// Tries until it is done; gives up only when `stop` has come.
async fn until_recorded(store: &Store, batch: &RecordBatch, stop: &CancellationToken) -> Option<Recorded> {
    let begun = Instant::now();
    let mut failures: u32 = 0;
    for pause in backoff(MIN_PAUSE, MAX_PAUSE) {
        let attempt = Instant::now();
        match store.record(batch).await {
            Ok(recorded) => {
                histogram!("millrace_writer_record_seconds").record(attempt.elapsed().as_secs_f64());
                if failures > 0 {
                    let away_ms = begun.elapsed().as_millis();
                    tracing::info!(failures, away_ms, "Postgres is back; the writer catches up");
                }
                return Some(recorded);
            }
            Err(error) => {
                failures += 1;
                counter!("millrace_writer_failed_attempts_total").increment(1);
                // Once per outage, and then now and again.
                if failures.is_power_of_two() {
                    tracing::warn!(failures, error = %error, "events cannot be recorded; they wait in Redis");
                }
            }
        }
        stop.run_until_cancelled(tokio::time::sleep(pause)).await?;
    }
    None
}

fn note(batch: &Batch, recorded: Recorded) {
    let events = batch.len();
    counter!("millrace_writer_events_total").increment(events as u64);
    counter!("millrace_writer_new_events_total").increment(recorded.new_events);
    counter!("millrace_writer_transactions_total").increment(recorded.transactions);
    counter!("millrace_writer_dead_letters_total").increment(recorded.dead_letters);
    histogram!("millrace_writer_batch_events").record(events as f64);
    tracing::debug!(
        events,
        new_events = recorded.new_events,
        transactions = recorded.transactions,
        "recorded a batch"
    );
}
