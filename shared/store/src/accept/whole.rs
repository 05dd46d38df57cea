//! Accepting runs that belong together: all of them, or none.

use millrace_contracts::ExecutionId;

use super::{AcceptOutcome, AcceptedRun, Rule};
use crate::{Store, StoreError};

/// What became of runs that were to be accepted together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WholeOutcome {
    /// The rows of all are committed.
    Accepted,
    /// Idempotency keys belong to these earlier runs, in the order of the call; nothing was written.
    Earlier(Vec<Option<ExecutionId>>),
}

impl Store {
    /// Commits all of `runs` in one transaction, or none of them.
    ///
    /// # Errors
    /// As [`Store::accept`].
    pub async fn accept_whole(&self, runs: &[AcceptedRun]) -> Result<WholeOutcome, StoreError> {
        let outcomes = self.accept_by(runs, Rule::AllOrNone).await?;
        let earlier: Vec<_> = outcomes
            .into_iter()
            .map(|outcome| match outcome {
                AcceptOutcome::Accepted => None,
                AcceptOutcome::Earlier(id) => Some(id),
            })
            .collect();
        let accepted = earlier.iter().all(Option::is_none);
        Ok(if accepted { WholeOutcome::Accepted } else { WholeOutcome::Earlier(earlier) })
    }
}
