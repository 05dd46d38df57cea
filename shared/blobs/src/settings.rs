//! Where blobs are kept and how large they may be.

use millrace_config::Objects;

/// Where blobs are kept and how large they may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlobsSettings {
    /// A folder, or a `file://` URL, made where it is missing; or a bucket, `s3://bucket/prefix`.
    pub url: String,
    /// How a bucket is reached.
    pub objects: Objects,
    /// Largest blob that is stored or read, bytes.
    pub max_blob_bytes: u64,
    /// Largest JSON value, references resolved, bytes.
    pub max_value_bytes: u64,
    /// Memory for blobs read or written lately, bytes; 0 switches the cache off.
    pub cache_bytes: u64,
    /// Whether a write is on the disk before it is answered; a bucket sees to that itself.
    pub sync: bool,
}

impl BlobsSettings {
    /// The usual settings for the store at `url`.
    #[must_use]
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            objects: Objects::default(),
            max_blob_bytes: 64 << 20,
            max_value_bytes: 64 << 20,
            cache_bytes: 64 << 20,
            sync: true,
        }
    }
}
