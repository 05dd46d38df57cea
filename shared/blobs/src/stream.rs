//! Uploads of unknown length: hashed while they are written, never held in memory whole.

use bytes::{Bytes, BytesMut};
use futures::{Stream, StreamExt};
use millrace_contracts::BlobId;
use object_store::path::Path;
use object_store::{ObjectStoreExt, WriteMultipart};
use sha2::{Digest, Sha256};
use std::pin::pin;

use crate::{Blobs, BlobsError, location};

/// What is no larger is stored in one piece, which needs no temporary object. In a bucket a temporary object costs five
/// requests, and a part of it has as many bytes anyway.
const SMALL_BYTES: usize = 1 << 20;
const SMALL_BYTES_OF_BUCKET: usize = 5 << 20;
/// Parts that may be on their way to the store; more wait for these.
const PARTS_IN_FLIGHT: usize = 2;
/// The largest object that a bucket copies, and so gives its name, in one request.
const MOST_BYTES_OF_BUCKET: u64 = 5 << 30;

impl Blobs {
    /// Stores what `stream` gives. Nothing stays behind when it fails or grows too large.
    ///
    /// # Errors
    /// `TooLarge` as soon as the limit is passed, `Upload` when the stream fails, `Storage`.
    pub async fn put_stream<S, E>(&self, stream: S) -> Result<BlobId, BlobsError>
    where
        S: Stream<Item = Result<Bytes, E>> + Send,
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        self.put_stream_within(stream, self.max_blob_bytes).await
    }

    /// The same with a limit of its own, bytes: what is larger than [`Blobs::max_blob_bytes`] is read in pieces only
    /// ([`Blobs::pieces`]). A bucket takes 5 GiB at most.
    ///
    /// # Errors
    /// As [`Blobs::put_stream`].
    pub async fn put_stream_within<S, E>(&self, stream: S, limit: u64) -> Result<BlobId, BlobsError>
    where
        S: Stream<Item = Result<Bytes, E>> + Send,
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let mut stream = pin!(stream);
        let mut start = BytesMut::new();
        let (small, most) = match self.folder {
            Some(_) => (SMALL_BYTES, u64::MAX),
            None => (SMALL_BYTES_OF_BUCKET, MOST_BYTES_OF_BUCKET),
        };
        let mut counted = Counted { total: 0, limit: limit.min(most) };
        while let Some(chunk) = stream.next().await {
            let chunk = counted.chunk(chunk)?;
            start.extend_from_slice(&chunk);
            if start.len() > small {
                let mut upload = Upload::begin(self, &start).await?;
                return match upload.copy(stream, counted).await {
                    Ok(()) => upload.finish().await,
                    Err(error) => {
                        upload.abort().await;
                        Err(error)
                    }
                };
            }
        }
        self.put_checked(start.freeze()).await
    }
}

/// The bytes that have come, of as many as may come.
struct Counted {
    total: u64,
    limit: u64,
}

impl Counted {
    /// The next of them.
    fn chunk<E>(&mut self, chunk: Result<Bytes, E>) -> Result<Bytes, BlobsError>
    where
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let chunk = chunk.map_err(|error| BlobsError::Upload(error.into()))?;
        self.total += chunk.len() as u64;
        if self.total > self.limit {
            return Err(BlobsError::TooLarge { what: "the blob", limit: self.limit });
        }
        Ok(chunk)
    }
}

/// A blob that grows under a temporary name.
struct Upload<'a> {
    blobs: &'a Blobs,
    path: Path,
    writer: WriteMultipart,
    hasher: Sha256,
}

impl<'a> Upload<'a> {
    async fn begin(blobs: &'a Blobs, start: &[u8]) -> Result<Self, BlobsError> {
        let path = location::of_upload();
        let upload = blobs.store.put_multipart(&path).await.map_err(blobs.fault())?;
        // A folder's leaves nothing where it is dropped.
        let upload = if blobs.folder.is_some() { upload } else { blobs.given_up.watch(upload, &path) };
        let mut begun = Self { blobs, path, writer: WriteMultipart::new(upload), hasher: Sha256::new() };
        begun.hasher.update(start);
        begun.writer.write(start);
        Ok(begun)
    }

    async fn copy<E>(
        &mut self,
        mut rest: impl Stream<Item = Result<Bytes, E>> + Unpin,
        mut counted: Counted,
    ) -> Result<(), BlobsError>
    where
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        while let Some(chunk) = rest.next().await {
            let chunk = counted.chunk(chunk)?;
            self.hasher.update(&chunk);
            self.writer.wait_for_capacity(PARTS_IN_FLIGHT).await.map_err(self.blobs.fault())?;
            self.writer.put(chunk);
        }
        Ok(())
    }

    async fn finish(self) -> Result<BlobId, BlobsError> {
        let Self { blobs, path, writer, hasher } = self;
        writer.finish().await.map_err(blobs.fault())?;
        let id = BlobId::from_digest(hasher.finalize().into());
        // In a bucket a copy may meet somebody who removes the same blob; a touch never does.
        if blobs.folder.is_none() && blobs.touch(id).await?.is_some() {
            blobs.delete_object(&path).await?;
        } else {
            // Renaming over an equal blob replaces it by the same bytes; readers see one or the other.
            blobs.store.rename(&path, &location::of_blob(id)).await.map_err(blobs.fault())?;
        }
        Ok(id)
    }

    /// The upload has failed already; what cannot be removed now is cleared when the store is opened again.
    async fn abort(self) {
        if let Err(error) = self.writer.abort().await {
            tracing::warn!(blob.upload = %self.path, error = %error, "a broken upload stays behind for now");
        }
    }
}
