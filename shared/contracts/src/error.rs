//! Why a job failed, in the fixed vocabulary of the public contract.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The kind of a job's failure; decides whether trying again can help.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ErrorKind {
    /// The data is wrong: a truncated picture, detections of another image.
    InvalidInput,
    /// The configuration, once its selectors were resolved, is out of range.
    InvalidConfig,
    /// No such model in the repository.
    ModelNotFound,
    /// The model exists and cannot be loaded.
    ModelLoadError,
    /// Not enough memory for the model or the batch.
    OutOfMemory,
    /// The worker went away.
    WorkerUnavailable,
    /// The attempt took longer than it may.
    Timeout,
    /// A remote party could not be reached or answered with a fault of its own.
    Network,
    /// The worker cannot do what was asked, for example a model family it does not know.
    Unsupported,
    /// The run was cancelled.
    Cancelled,
    /// A fault of Millrace.
    Internal,
}

impl ErrorKind {
    /// Whether another attempt may succeed without anybody changing anything.
    #[must_use]
    pub fn retryable(self) -> bool {
        matches!(
            self,
            Self::ModelLoadError
                | Self::OutOfMemory
                | Self::WorkerUnavailable
                | Self::Timeout
                | Self::Network
        )
    }

    /// The name on the wire, such as `OUT_OF_MEMORY`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InvalidInput => "INVALID_INPUT",
            Self::InvalidConfig => "INVALID_CONFIG",
            Self::ModelNotFound => "MODEL_NOT_FOUND",
            Self::ModelLoadError => "MODEL_LOAD_ERROR",
            Self::OutOfMemory => "OUT_OF_MEMORY",
            Self::WorkerUnavailable => "WORKER_UNAVAILABLE",
            Self::Timeout => "TIMEOUT",
            Self::Network => "NETWORK",
            Self::Unsupported => "UNSUPPORTED",
            Self::Cancelled => "CANCELLED",
            Self::Internal => "INTERNAL",
        }
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A failure as it travels in events and stands in the record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct JobError {
    /// The kind, from the fixed list.
    pub kind: ErrorKind,
    /// What happened and what to do about it, for people.
    pub message: String,
    /// Whether another attempt may succeed.
    pub retryable: bool,
    /// The node at fault, where the error speaks for a whole run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<crate::NodeId>,
    /// JSON pointer into the node (`/inputs/image`, `/config/model_id`), where one place is at fault.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pointer: Option<String>,
}

impl JobError {
    /// A failure of `kind`; whether to retry follows from the kind.
    #[must_use]
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), retryable: kind.retryable(), node: None, pointer: None }
    }

    /// The same failure with its place.
    #[must_use]
    pub fn at(mut self, pointer: impl Into<String>) -> Self {
        self.pointer = Some(pointer.into());
        self
    }
}

impl fmt::Display for JobError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind, self.message)
    }
}

impl std::error::Error for JobError {}
