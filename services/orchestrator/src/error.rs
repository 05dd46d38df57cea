//! What can go wrong in the shell. Nothing here ends a run: the message stays in the inbox and is tried again.

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
    /// Postgres, which only the sweeper and the rebuilding of lost runs ask.
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
    /// A task of the role ended that had to live.
    #[error(transparent)]
    Task(#[from] TaskError),
}

impl OrchestratorError {
    /// Whether trying again cannot help: the run itself is at fault, not a neighbour.
    pub(crate) fn is_of_the_run(&self) -> bool {
        matches!(self, Self::State { .. } | Self::Definition { .. })
    }
}
