//! Blobs in a folder of this machine, for threads that are about to work on them: whoever has one in memory already
//! needs no other thread to bring it.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use millrace_contracts::BlobId;

use crate::{Blobs, file, location};

/// A blob, found or not.
#[derive(Debug)]
pub struct LocalBlob {
    at: Place,
    limit: u64,
}

#[derive(Debug)]
enum Place {
    /// Among those that were used lately.
    Kept(Bytes),
    File(PathBuf, Arc<AtomicBool>),
}

impl Blobs {
    /// The way to a blob's bytes that needs no other thread; none in a bucket, or where no file system tells what is in memory.
    #[must_use]
    pub fn local(&self, id: BlobId) -> Option<LocalBlob> {
        let limit = self.max_blob_bytes;
        if let Some(bytes) = self.lately(id) {
            return Some(LocalBlob { at: Place::Kept(bytes), limit });
        }
        let folder = self.folder.as_ref().filter(|_| self.tells.load(Ordering::Relaxed))?;
        let file = folder.join(location::of_blob(id).as_ref());
        Some(LocalBlob { at: Place::File(file, Arc::clone(&self.tells)), limit })
    }
}

impl LocalBlob {
    /// Its bytes, if that does not wait for a disk. None says nothing of the blob: [`Blobs::get_once`] brings it, or tells why not.
    #[must_use]
    pub fn bytes_at_once(self) -> Option<Bytes> {
        let (file, tells) = match self.at {
            Place::Kept(bytes) => return Some(bytes),
            Place::File(file, tells) => (file, tells),
        };
        match file::read_from_memory(&file, self.limit) {
            Ok(bytes) => bytes.map(Bytes::from),
            Err(error) => {
                if error.kind() == std::io::ErrorKind::Unsupported {
                    tells.store(false, Ordering::Relaxed);
                }
                None
            }
        }
    }
}
