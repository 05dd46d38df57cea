//! What can go wrong in the shell, and whom it concerns: a fault of one run must not hold up its neighbours.

use millrace_blobs::BlobsError;
use millrace_bus::BusError;
use millrace_contracts::{BlobId, ExecutionId, Faults};
use millrace_engine::LoadError;
use millrace_store::StoreError;
use millrace_tasks::TaskError;

/// A fault of the orchestrator.
#[derive(Debug, thiserror::Error)]
pub enum OrchestratorError {
    /// Redis.
    #[error(transparent)]
    Bus(#[from] BusError),
    /// The blob store.
    #[error(transparent)]
    Blobs(#[from] BlobsError),
    /// Postgres, asked by the sweeper, and where a run was lost or repeats another.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A stored run does not parse.
    #[error("the stored state of run {run} cannot be used: {source}")]
    State {
        /// Which.
        run: ExecutionId,
        /// Why.
        #[source]
        source: LoadError,
    },
    /// A definition that was accepted does not compile.
    #[error("the accepted definition {definition} does not compile: {faults}")]
    Definition {
        /// Its blob.
        definition: BlobId,
        /// What is wrong.
        faults: Faults,
    },
    /// A lost run that is to be ended is being begun again meanwhile.
    #[error("run {0} was lost and is being begun again")]
    BegunAgain(ExecutionId),
    /// A run without live state that is to be ended may have ended before.
    #[error("run {0} may have ended, and the record is behind; it is not cancelled before that is known")]
    Unrecorded(ExecutionId),
    /// A task of the role ended that had to live.
    #[error(transparent)]
    Task(#[from] TaskError),
}

impl OrchestratorError {
    /// Whom it concerns, where it was met while one run was looked at.
    pub(crate) fn reach(&self) -> Reach {
        match self {
            Self::State { .. } | Self::Definition { .. } | Self::Store(StoreError::Corrupt { .. }) => {
                Reach::Run
            }
            Self::Blobs(error) if !error.is_retryable() => Reach::Run,
            Self::Bus(error) if !error.is_retryable() => Reach::Run,
            Self::Blobs(_) | Self::Store(_) | Self::BegunAgain(_) | Self::Unrecorded(_) => Reach::RunForNow,
            Self::Bus(_) | Self::Task(_) => Reach::Everybody,
        }
    }

    /// Whether it says nothing about the next run or schedule: a pass over many goes on behind this one.
    pub(crate) fn is_of_one(&self) -> bool {
        match self {
            Self::Store(error) => error.took_too_long() || !error.is_unavailable(),
            other => other.reach() != Reach::Everybody,
        }
    }

    /// Whether the run itself is at fault, so that trying again cannot help.
    pub(crate) fn is_of_the_run(&self) -> bool {
        self.reach() == Reach::Run
    }
}

/// Whom a fault concerns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    /// One run, for good.
    Run,
    /// One run, until something is there again that other runs can do without.
    RunForNow,
    /// All runs alike.
    Everybody,
}
