//! Why nothing was found out.

use std::time::Duration;

/// Why nothing was found out. No text holds a key.
#[derive(Debug, thiserror::Error)]
pub enum VectorError {
    /// The operator has named no such service.
    #[error("there is no {what} to ask; an operator names it in `{setting}`")]
    NotConfigured {
        /// What would be asked.
        what: &'static str,
        /// The setting that would name it.
        setting: &'static str,
    },
    /// The service does not know the collection.
    #[error("there is no collection {0:?}")]
    UnknownCollection(String),
    /// The vector does not fit the collection.
    #[error("the vector does not fit the collection: {0}")]
    Vector(String),
    /// The service is not there, or too busy. Trying again may help.
    #[error("the vector store could not be reached: {0}")]
    Unreachable(String),
    /// The service did not answer in time. Trying again may help.
    #[error("the vector store did not answer within {0:?}")]
    TimedOut(Duration),
    /// The service asks for another key than the operator has named.
    #[error("the vector store refuses the key that the settings name for it ({0})")]
    Forbidden(u16),
    /// The service would not do it, however often it is asked.
    #[error("the vector store answered {status}: {detail}")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// What it said.
        detail: String,
    },
    /// The answer is larger than may be.
    #[error("the answer has more than {limit} bytes; ask for fewer matches, or keep smaller payloads")]
    TooLarge {
        /// How large it may be, bytes.
        limit: u64,
    },
    /// The answer is not what the service is known to give.
    #[error("the vector store gave an answer that cannot be read: {0}")]
    Answer(String),
}

impl VectorError {
    /// Whether trying again may help.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Unreachable(_) | Self::TimedOut(_))
    }
}
