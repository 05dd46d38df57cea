//! The store: bytes in, ids out, and back. Every size is bounded before memory is taken for it.

use std::io;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use bytes::Bytes;
use millrace_contracts::BlobId;
use millrace_objects::ObjectsError;
use object_store::path::Path as ObjectPath;
use object_store::{GetOptions, GetRange, ObjectMeta, ObjectStore, ObjectStoreExt, PutPayload};

use crate::file::{self, Found};
use crate::given_up::GivenUp;
use crate::lately::Lately;
use crate::location::{self, Opened};
use crate::{BlobsError, BlobsSettings};

/// The blob store. Cheap to clone; clones share the cache.
#[derive(Debug, Clone)]
pub struct Blobs {
    pub(crate) store: Arc<dyn ObjectStore>,
    /// Where the store is on the disk; none for a bucket.
    pub(crate) folder: Option<Arc<Path>>,
    /// Whether its file system can say what is in memory, for all that is known.
    pub(crate) tells: Arc<AtomicBool>,
    /// What the store is called.
    pub(crate) address: Arc<str>,
    lately: Lately,
    pub(crate) given_up: GivenUp,
    pub(crate) max_blob_bytes: u64,
    pub(crate) max_value_bytes: u64,
}

impl Blobs {
    /// Opens the store, making its folder where it is missing. Touches the disk, and asks no bucket; meant for the start of a
    /// process.
    ///
    /// # Errors
    /// `Settings` when the URL's scheme is not supported, the folder cannot be made, or the bucket's settings make no sense.
    pub fn open(settings: &BlobsSettings) -> Result<Self, BlobsError> {
        let Opened { store, folder, address } = location::open(settings)?;
        Ok(Self {
            store,
            folder: folder.map(Arc::from),
            tells: Arc::new(AtomicBool::new(true)),
            address: address.into(),
            lately: Lately::new(settings.cache_bytes),
            given_up: GivenUp::new(),
            max_blob_bytes: settings.max_blob_bytes,
            max_value_bytes: settings.max_value_bytes,
        })
    }

    /// Largest blob that is stored or read in one piece, bytes.
    #[must_use]
    pub fn max_blob_bytes(&self) -> u64 {
        self.max_blob_bytes
    }

    /// Stores `bytes`, unless they are stored already; then they are touched.
    ///
    /// # Errors
    /// `TooLarge`, `Storage`.
    pub async fn put(&self, bytes: Bytes) -> Result<BlobId, BlobsError> {
        self.check_size(bytes.len() as u64)?;
        self.put_checked(bytes).await
    }

    /// The same of bytes whose number was looked at.
    pub(crate) async fn put_checked(&self, bytes: Bytes) -> Result<BlobId, BlobsError> {
        let id = BlobId::of(&bytes);
        if self.touch(id).await? != Some(bytes.len() as u64) {
            let payload = PutPayload::from_bytes(bytes.clone());
            self.store.put(&location::of_blob(id), payload).await.map_err(self.fault())?;
        }
        self.lately.keep(id, &bytes);
        Ok(id)
    }

    /// The bytes of a blob.
    ///
    /// # Errors
    /// `NotFound`, `TooLarge`, `Storage`.
    pub async fn get(&self, id: BlobId) -> Result<Bytes, BlobsError> {
        if let Some(bytes) = self.lately.get(id) {
            return Ok(bytes);
        }
        let bytes = self.read(id).await?;
        self.lately.keep(id, &bytes);
        Ok(bytes)
    }

    /// As [`Blobs::get`], for a caller who keeps the bytes in another form: they are not remembered here.
    ///
    /// # Errors
    /// As [`Blobs::get`].
    pub async fn get_once(&self, id: BlobId) -> Result<Bytes, BlobsError> {
        match self.lately.get(id) {
            Some(bytes) => Ok(bytes),
            None => self.read(id).await,
        }
    }

    pub(crate) fn lately(&self, id: BlobId) -> Option<Bytes> {
        self.lately.get(id)
    }

    async fn read(&self, id: BlobId) -> Result<Bytes, BlobsError> {
        if let Some(folder) = &self.folder {
            let (path, limit) = (folder.join(location::of_blob(id).as_ref()), self.max_blob_bytes);
            return match self.off_thread(move || file::read(&path, limit)).await? {
                Found::Bytes(bytes) => Ok(Bytes::from(bytes)),
                Found::Nothing => Err(BlobsError::NotFound(id)),
                Found::TooLarge => Err(self.too_large()),
            };
        }
        let found = self.store.get(&location::of_blob(id)).await.map_err(self.fault_about(id))?;
        self.check_size(found.meta.size)?;
        found.bytes().await.map_err(self.fault_about(id))
    }

    /// A part of a blob; a range that goes past the end stops there.
    ///
    /// # Errors
    /// `NotFound`, `Range` when it begins at or after the end, `TooLarge`, `Storage`.
    pub async fn get_range(&self, id: BlobId, range: Range<u64>) -> Result<Bytes, BlobsError> {
        if let Some(cached) = self.lately.get(id) {
            let Range { start, end } = within(&range, cached.len() as u64)?;
            if let (Ok(start), Ok(end)) = (usize::try_from(start), usize::try_from(end)) {
                return Ok(cached.slice(start..end));
            }
        }
        let path = location::of_blob(id);
        let asked = GetOptions { range: Some(GetRange::Bounded(range.clone())), ..GetOptions::default() };
        match self.store.get_opts(&path, asked).await {
            Ok(found) => {
                self.check_size(found.range.end - found.range.start)?;
                found.bytes().await.map_err(self.fault_about(id))
            }
            // A range that cannot be has an error of its own in every kind of store.
            Err(error) => {
                let bytes = self.head(id).await?.ok_or(BlobsError::NotFound(id))?;
                within(&range, bytes)?;
                Err(self.fault()(error))
            }
        }
    }

    /// A blob's size in bytes; none when there is no such blob.
    ///
    /// # Errors
    /// `Storage`.
    pub async fn head(&self, id: BlobId) -> Result<Option<u64>, BlobsError> {
        Ok(self.meta(&location::of_blob(id)).await?.map(|meta| meta.size))
    }

    /// What the store says of an object; none when there is none.
    pub(crate) async fn meta(&self, path: &ObjectPath) -> Result<Option<ObjectMeta>, BlobsError> {
        match self.store.head(path).await {
            Ok(meta) => Ok(Some(meta)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(self.fault()(error)),
        }
    }

    /// Removes a blob; removing it again changes nothing. Other processes may still have it in memory for a while.
    ///
    /// # Errors
    /// `Storage`.
    pub async fn delete(&self, id: BlobId) -> Result<(), BlobsError> {
        self.forget(id);
        self.delete_object(&location::of_blob(id)).await
    }

    /// Removes an object that may be gone already.
    pub(crate) async fn delete_object(&self, path: &ObjectPath) -> Result<(), BlobsError> {
        match self.store.delete(path).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(self.fault()(error)),
        }
    }

    /// A failure of the store.
    pub(crate) fn fault(&self) -> impl Fn(object_store::Error) -> BlobsError + use<> {
        let address = Arc::clone(&self.address);
        move |error| BlobsError::Storage(ObjectsError::of(&address, &error))
    }

    /// A failure of the store while it was asked about `id`.
    fn fault_about(&self, id: BlobId) -> impl Fn(object_store::Error) -> BlobsError + use<> {
        let fault = self.fault();
        move |error| match error {
            object_store::Error::NotFound { .. } => BlobsError::NotFound(id),
            error => fault(error),
        }
    }

    fn check_size(&self, bytes: u64) -> Result<(), BlobsError> {
        if bytes > self.max_blob_bytes {
            return Err(self.too_large());
        }
        Ok(())
    }

    fn too_large(&self) -> BlobsError {
        BlobsError::TooLarge { what: "the blob", limit: self.max_blob_bytes }
    }

    /// Does what blocks on a thread for that.
    pub(crate) async fn off_thread<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> io::Result<T> + Send + 'static,
    ) -> Result<T, BlobsError> {
        let done = tokio::task::spawn_blocking(work).await.map_err(io::Error::other);
        done.and_then(|done| done).map_err(|error| {
            let (address, detail) = (self.address.to_string(), error.to_string());
            BlobsError::Storage(ObjectsError::Failed { address, detail })
        })
    }

    pub(crate) fn forget(&self, id: BlobId) {
        self.lately.forget(id);
    }
}

/// The range, cut to a blob of so many bytes.
fn within(range: &Range<u64>, bytes: u64) -> Result<Range<u64>, BlobsError> {
    let range = range.start..range.end.min(bytes);
    if range.is_empty() { Err(BlobsError::Range { bytes }) } else { Ok(range) }
}
