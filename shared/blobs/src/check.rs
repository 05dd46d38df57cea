//! Whether the store does what is asked of it.

use bytes::Bytes;
use futures::TryStreamExt;
use millrace_contracts::BlobId;
use millrace_objects::ObjectsError;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt, PutPayload};

use crate::location::{self, UPLOADS};
use crate::{Blobs, BlobsError};

impl Blobs {
    /// Whether the store is there. Writes nothing.
    ///
    /// # Errors
    /// `Storage`, with why it cannot be reached.
    pub async fn reach(&self) -> Result<(), BlobsError> {
        let Some(folder) = self.folder.clone() else {
            return self.head(BlobId::of(b"")).await.map(drop);
        };
        self.off_thread(move || std::fs::read_dir(folder).map(drop)).await
    }

    /// Lists, writes an object, reads it back, and removes it.
    ///
    /// # Errors
    /// `Storage`, with what cannot be done.
    pub async fn check(&self) -> Result<(), BlobsError> {
        // A folder that only the probe was ever in goes again with it.
        let uploads =
            self.folder.as_ref().map(|folder| folder.join(UPLOADS)).filter(|uploads| !uploads.exists());
        let (probe, content) = (location::of_upload(), Bytes::from_static(b"a probe of millrace doctor"));
        self.store.list(Some(&Path::from(UPLOADS))).try_next().await.map_err(self.fault())?;
        self.store.put(&probe, PutPayload::from_bytes(content.clone())).await.map_err(self.fault())?;
        let read = async { self.store.get(&probe).await?.bytes().await };
        let read = read.await.map_err(self.fault());
        // Removed whatever came of reading it.
        self.store.delete(&probe).await.map_err(self.fault())?;
        if let Some(uploads) = uploads {
            // Where somebody uploads by now, it stays.
            _ = std::fs::remove_dir(uploads);
        }
        if read? == content {
            return Ok(());
        }
        let detail = "what was written comes back as something else".to_owned();
        Err(BlobsError::Storage(ObjectsError::Failed { address: self.address.to_string(), detail }))
    }
}
