//! What can end the role. Outages of Redis and Postgres do not: they are waited out.

use millrace_blobs::BlobsError;
use millrace_bus::BusError;
use millrace_store::StoreError;
use millrace_tasks::TaskError;

/// A fault of the writer.
#[derive(Debug, thiserror::Error)]
pub enum WriterError {
    /// Redis refuses what the writer needs, and waiting will not help.
    #[error(transparent)]
    Bus(#[from] BusError),
    /// Postgres, while it is looked after.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The blob store, while it is looked after.
    #[error(transparent)]
    Blobs(#[from] BlobsError),
    /// A task of the role ended that had to live.
    #[error(transparent)]
    Task(#[from] TaskError),
}
