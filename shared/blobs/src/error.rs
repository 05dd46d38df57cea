//! What can go wrong with blobs.

use millrace_contracts::BlobId;
use millrace_objects::ObjectsError;

/// A failed call to the blob store.
#[derive(Debug, thiserror::Error)]
pub enum BlobsError {
    /// The settings name no store that can be used.
    #[error("the blob store {url:?} cannot be used: {reason}")]
    Settings {
        /// As it was given.
        url: String,
        /// Why, and what to do.
        reason: String,
    },
    /// No such blob.
    #[error("there is no blob {0}")]
    NotFound(BlobId),
    /// More bytes than a blob or value may have.
    #[error("{what} is larger than the limit of {limit} bytes")]
    TooLarge {
        /// What is too large.
        what: &'static str,
        /// The limit, bytes.
        limit: u64,
    },
    /// A run's input of very many small values, which storing apart would not make smaller.
    #[error("the input takes {bytes} bytes beside what is stored apart, and may take {limit}")]
    InputTooLarge {
        /// Its size, bytes.
        bytes: usize,
        /// The limit, bytes.
        limit: usize,
    },
    /// The range begins after the blob's end.
    #[error("the range begins after the end of the blob, which has {bytes} bytes")]
    Range {
        /// The blob's size, bytes.
        bytes: u64,
    },
    /// A reference leads to something that is not a JSON value.
    #[error("blob {id} is referred to as a JSON value and is none: {source}")]
    NotJson {
        /// The blob.
        id: BlobId,
        /// What the parser said.
        source: serde_json::Error,
    },
    /// References inside references inside references.
    #[error("a value refers to values that refer to values, more than {limit} deep")]
    TooDeep {
        /// The limit.
        limit: usize,
    },
    /// The bytes that were to be stored stopped coming.
    #[error("the upload broke off: {0}")]
    Upload(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The store itself failed: it is away, or its disk is full, or rights are missing.
    #[error("the blob store failed: {0}")]
    Storage(#[source] ObjectsError),
}

impl BlobsError {
    /// Whether the same call may succeed later without anybody changing the data.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Storage(_))
    }
}
