//! `[blobs]`: where images, tensors and artifacts are kept.

use serde::{Deserialize, Serialize};

use crate::ByteSize;

/// Where images, tensors and artifacts are kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Blobs {
    /// A folder, or a prefix in an object store, such as s3://bucket/blobs.
    pub url: String,
    /// Largest blob that is stored or read; files of registered models have `models.max_file`.
    pub max_blob: ByteSize,
    /// Largest JSON value once its references are resolved.
    pub max_value: ByteSize,
    /// Memory for blobs read lately; 0 B switches the cache off.
    pub cache: ByteSize,
    /// Whether a write is on the disk before it is answered; off, a crash of the machine may lose blobs of
    /// runs that were accepted.
    pub sync: bool,
}

impl Default for Blobs {
    fn default() -> Self {
        Self {
            url: ".millrace/blobs".to_owned(),
            max_blob: ByteSize::mib(64),
            max_value: ByteSize::mib(64),
            cache: ByteSize::mib(64),
            sync: true,
        }
    }
}
