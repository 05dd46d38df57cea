//! Accepting a batch: one commit for all its runs, and the hand-over after it, so that nothing that was accepted has to be taken
//! back. What is sent again under its key finds all of it or nothing.

use millrace_contracts::UnixMillis;
use millrace_store::{AcceptedRun, WholeOutcome};
use millrace_telemetry::Traceparent;

use super::accept::{Receipt, Submission, hand_over};
use super::again::{self, Keyed};
use crate::problem::{Code, Problem};
use crate::state::App;

/// Runs that are handed over at once.
const HANDED_OVER_AT_ONCE: usize = 256;

/// Under which the key of a batch is recorded for each of its runs.
fn batch_key(key: &str, index: usize) -> String {
    format!("{key}/{index}")
}

/// Commits the runs of a batch, all or none, and hands them over.
pub(crate) async fn accept_batch(
    app: &App,
    submissions: Vec<Submission>,
    keyed: Option<&Keyed>,
) -> Result<Vec<Receipt>, Problem> {
    let Some(first) = submissions.first() else { return Ok(Vec::new()) };
    first.target.compiled.store(&app.blobs).await?;
    let rows = rows(app, &submissions, keyed);
    let outcome = {
        let _place = app.batch_commits.acquire().await.expect("nobody closes the semaphore of batches");
        app.store.accept_whole(&rows).await?
    };
    match outcome {
        WholeOutcome::Accepted => {
            hand_over_all(app, &rows).await;
            Ok(submissions.into_iter().map(Submission::receipt).collect())
        }
        // The same request was on its way at the same time.
        WholeOutcome::Earlier(_) => {
            let keyed = keyed.expect("what belongs to an earlier batch are its keys");
            batch_again(app, keyed, submissions.len(), &first.trace).await?.ok_or_else(other_batch)
        }
    }
}

/// The runs of the batch that an earlier request with the same key made, if it asked for the same.
pub(crate) async fn batch_again(
    app: &App,
    keyed: &Keyed,
    count: usize,
    trace: &Traceparent,
) -> Result<Option<Vec<Receipt>>, Problem> {
    let keys: Vec<String> = (0..count).map(|index| batch_key(&keyed.key, index)).collect();
    let holders = app.store.executions().by_idempotency_keys(&keys).await?;
    if holders.iter().all(Option::is_none) {
        return Ok(None);
    }
    let receipts = holders.into_iter().map(|holder| {
        let holder = holder.ok_or_else(other_batch)?;
        again::receipt(holder, keyed.digest, trace).map_err(|_| other_batch())
    });
    receipts.collect::<Result<_, _>>().map(Some)
}

fn other_batch() -> Problem {
    let detail = "this Idempotency-Key made a batch of other inputs, or one of which runs were deleted since; use a fresh key";
    Problem::new(Code::IdempotencyKeyReused, detail)
}

fn rows(app: &App, submissions: &[Submission], keyed: Option<&Keyed>) -> Vec<AcceptedRun> {
    // One time for all, so that their keys run out together.
    let now = UnixMillis::now();
    let row = |(index, submission): (usize, &Submission)| {
        let own = keyed.map(|all| Keyed { key: batch_key(&all.key, index), digest: all.digest });
        let mut row = submission.row(app, own.as_ref(), now);
        if index > 0 {
            // It is the same for all, and one commit has to bring it only once.
            row.definition = None;
        }
        row
    };
    submissions.iter().enumerate().map(row).collect()
}

async fn hand_over_all(app: &App, rows: &[AcceptedRun]) {
    for some in rows.chunks(HANDED_OVER_AT_ONCE) {
        let arrived = futures::future::join_all(some.iter().map(|row| hand_over(app, &row.accepted))).await;
        // Where the bus takes none of so many, the caller does not wait for the others: the sweeper starts them.
        if !arrived.contains(&true) {
            return;
        }
    }
}
