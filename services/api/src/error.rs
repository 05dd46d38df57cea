//! Why the api could not start or had to stop.

use std::net::SocketAddr;

use millrace_store::StoreError;
use millrace_tasks::TaskError;

/// Why the api could not start or had to stop.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// Anybody on the network could use it.
    #[error(
        "the api refuses to serve {0}: there are no api keys, so it serves this machine only; make one in its database \
         (`DATABASE_URL=… millrace keys create NAME --scope admin --direct`), and start it again"
    )]
    NotLoopback(SocketAddr),
    /// Whether there are api keys is not known.
    #[error("whether there are api keys cannot be looked up: {0}")]
    Keys(#[from] StoreError),
    /// The listener cannot be used.
    #[error("the api's listener cannot be used: {0}")]
    Listener(#[source] std::io::Error),
    /// One of its tasks failed.
    #[error(transparent)]
    Task(#[from] TaskError),
}
