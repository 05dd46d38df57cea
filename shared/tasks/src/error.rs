//! Why a role ended before it was asked to.

use std::time::Duration;

/// A task that had to live has ended, or would not end.
#[derive(Debug, thiserror::Error)]
pub enum TaskError {
    /// The task returned an error and its kind says that the role stops with it.
    #[error("the task {task} failed: {source}")]
    Failed {
        /// The task's name.
        task: &'static str,
        /// What it returned.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The task panicked: a fault of Millrace.
    #[error("the task {task} panicked: {message}")]
    Panicked {
        /// The task's name.
        task: &'static str,
        /// The panic's message.
        message: String,
    },
    /// Tasks were still at work when the grace period was over; they were aborted.
    #[error("aborted after {grace:?} of grace: {}", tasks.join(", "))]
    GraceOver {
        /// How long they were given.
        grace: Duration,
        /// Their names.
        tasks: Vec<&'static str>,
    },
}
