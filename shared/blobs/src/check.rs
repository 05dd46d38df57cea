//! Whether the store does what is asked of it.

use bytes::Bytes;
use futures::TryStreamExt;
use millrace_objects::ObjectsError;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt, PutPayload};

use crate::location::{self, UPLOADS};
use crate::{Blobs, BlobsError};

impl Blobs {
    /// Lists, writes an object, reads it back, and removes it.
    ///
    /// # Errors
    /// `Storage`, with what cannot be done.
    pub async fn check(&self) -> Result<(), BlobsError> {
        let (probe, content) = (location::of_upload(), Bytes::from_static(b"a probe of millrace doctor"));
        self.store.list(Some(&Path::from(UPLOADS))).try_next().await.map_err(self.fault())?;
        self.store.put(&probe, PutPayload::from_bytes(content.clone())).await.map_err(self.fault())?;
        let read = async { self.store.get(&probe).await?.bytes().await };
        let read = read.await.map_err(self.fault());
        // Removed whatever came of reading it.
        self.store.delete(&probe).await.map_err(self.fault())?;
        if read? == content {
            return Ok(());
        }
        let detail = "what was written comes back as something else".to_owned();
        Err(BlobsError::Storage(ObjectsError::Failed { address: self.address.to_string(), detail }))
    }
}
