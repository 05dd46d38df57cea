//! Why the api could not start or had to stop.

use std::net::SocketAddr;

use millrace_tasks::TaskError;

/// Why the api could not start or had to stop.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// Anybody on the network could use it.
    #[error(
        "the api refuses to serve {0}: it has no api keys, so it serves this machine only; \
         set `api.listen` to 127.0.0.1 or [::1], and put a proxy that authenticates in front of it for others"
    )]
    NotLoopback(SocketAddr),
    /// The listener cannot be used.
    #[error("the api's listener cannot be used: {0}")]
    Listener(#[source] std::io::Error),
    /// One of its tasks failed.
    #[error(transparent)]
    Task(#[from] TaskError),
}
