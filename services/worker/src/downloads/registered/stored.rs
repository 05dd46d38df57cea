//! A file of a registered model in the blob store, as a source of bytes. It may be larger than anything else there, and goes to the
//! disk piece by piece. Rule: a blob's name is its digest, so that what has come of it is never old.

use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt};
use millrace_blobs::{Blobs, BlobsError};
use millrace_contracts::BlobId;
use millrace_fetch::{FetchError, Opened, Source};

/// A file in the blob store.
pub(super) struct Stored<'a> {
    pub(super) blobs: &'a Blobs,
    pub(super) id: BlobId,
    /// Its size.
    pub(super) bytes: u64,
}

impl Source for Stored<'_> {
    fn open(&self, have: Option<(u64, String)>) -> BoxFuture<'_, Result<Opened, FetchError>> {
        let (tag, bytes) = (self.id.to_string(), self.bytes);
        let from = have.filter(|(have, of)| *of == tag && *have < bytes).map(|(have, _)| have);
        let start = from.unwrap_or_default();
        let opened = Opened {
            resumed: from.is_some(),
            tag: Some(tag),
            bytes: Some(bytes - start),
            stamp: None,
            chunks: self
                .blobs
                .pieces(self.id, start..bytes)
                .map(|piece| piece.map_err(|error| of_blobs(&error)))
                .boxed(),
        };
        async { Ok(opened) }.boxed()
    }
}

/// A failure of the blob store as one of fetching.
fn of_blobs(error: &BlobsError) -> FetchError {
    FetchError::Store { detail: error.to_string(), passing: error.is_retryable() }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use futures::TryStreamExt;
    use millrace_blobs::BlobsSettings;

    use super::*;

    #[tokio::test]
    async fn what_has_come_is_not_read_again_unless_it_is_of_another_file() {
        let folder = tempfile::tempdir().unwrap();
        let blobs = Blobs::open(&BlobsSettings::new(folder.path().display().to_string())).unwrap();
        let content = Bytes::from_static(b"the weights of a model");
        let (id, bytes) = (blobs.put(content.clone()).await.unwrap(), content.len() as u64);
        let stored = Stored { blobs: &blobs, id, bytes };
        for (have, start) in [
            (None, 0),
            (Some((4, id.to_string())), 4),
            (Some((4, "of another".into())), 0),
            (Some((bytes, id.to_string())), 0),
        ] {
            let opened = stored.open(have.clone()).await.unwrap();
            assert_eq!((opened.resumed, opened.bytes), (start > 0, Some(bytes - start as u64)), "{have:?}");
            let came: Vec<Bytes> = opened.chunks.try_collect().await.unwrap();
            assert_eq!(came.concat(), content[start..], "{have:?}");
        }
    }
}
