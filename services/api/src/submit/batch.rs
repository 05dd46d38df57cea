//! Accepting a batch: one commit for all its runs, and the hand-over after it, so that nothing that was accepted has to be taken
//! back. What is sent again under its key finds all of it or nothing.

use futures::{StreamExt, TryStreamExt, stream};
use millrace_contracts::{ExecutionId, UnixMillis};
use millrace_store::{AcceptedRun, WholeOutcome};

use super::accept::{Receipt, Submission, earlier, hand_over};
use crate::problem::{Code, Problem};
use crate::state::App;

/// Runs that are handed over at once.
const HANDED_OVER_AT_ONCE: usize = 256;
/// Earlier runs that are looked up at once: each takes a connection to the database.
const LOOKED_UP_AT_ONCE: usize = 4;

/// Under which the key of a batch is recorded for each of its runs.
pub(crate) fn batch_key(key: &str, index: usize) -> String {
    format!("{key}/{index}")
}

/// Commits the runs of a batch, all or none, and hands them over.
pub(crate) async fn accept_batch(
    app: &App,
    submissions: Vec<Submission>,
    key: Option<&str>,
) -> Result<Vec<Receipt>, Problem> {
    let Some(first) = submissions.first() else { return Ok(Vec::new()) };
    first.target.compiled.store(&app.blobs).await?;
    let rows = rows(app, &submissions, key);
    let outcome = {
        let _place = app.batch_commits.acquire().await.expect("nobody closes the semaphore of batches");
        app.store.accept_whole(&rows).await?
    };
    match outcome {
        WholeOutcome::Accepted => {
            hand_over_all(app, &rows).await;
            Ok(submissions.into_iter().map(Submission::receipt).collect())
        }
        WholeOutcome::Earlier(ids) => earlier_batch(app, ids, submissions, key.unwrap_or_default()).await,
    }
}

fn rows(app: &App, submissions: &[Submission], key: Option<&str>) -> Vec<AcceptedRun> {
    // One time for all, so that their keys run out together.
    let now = UnixMillis::now();
    let row = |(index, submission): (usize, &Submission)| {
        let mut row = submission.row(app, key.map(|key| batch_key(key, index)), now);
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

/// The runs of the batch that an earlier request with the same key made, if it asked for the same.
async fn earlier_batch(
    app: &App,
    ids: Vec<Option<ExecutionId>>,
    submissions: Vec<Submission>,
    key: &str,
) -> Result<Vec<Receipt>, Problem> {
    let one_more = batch_key(key, submissions.len());
    let had_more = app.store.executions().by_idempotency_key(&one_more).await?.is_some();
    let all: Option<Vec<ExecutionId>> = ids.into_iter().collect();
    let Some(ids) = all.filter(|_| !had_more) else {
        let detail = "this Idempotency-Key made a batch of other inputs, or one of which runs were deleted since; use a fresh key";
        return Err(Problem::new(Code::IdempotencyKeyReused, detail));
    };
    stream::iter(ids.into_iter().zip(submissions))
        .map(|(id, submission)| async move { earlier(app, id, &submission).await })
        .buffered(LOOKED_UP_AT_ONCE)
        .try_collect()
        .await
}
