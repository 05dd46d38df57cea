//! Keeping what is used and removing what is not. Whoever means to refer to a blob touches it; what has not been touched for
//! long may be removed. No matter how the two meet, a blob that was touched is there afterwards, or the touch says that it is
//! not.

mod bucket;
mod folder;

use std::collections::HashSet;
use std::time::{Duration, SystemTime};

use futures::{Stream, StreamExt, TryStreamExt, stream};
use millrace_contracts::BlobId;
use object_store::{ObjectMeta, ObjectStore};

use crate::{Blobs, BlobsError, location};

/// What was touched so lately is not touched again: most blobs are used soon after they were stored.
pub const TOUCHED_FOR: Duration = Duration::from_secs(6 * 3600);

impl Blobs {
    /// The size of a blob that is about to be referred to, bytes; none when there is no such blob. It stays for as long as blobs
    /// that nobody refers to are kept, less [`TOUCHED_FOR`].
    ///
    /// # Errors
    /// `Storage`.
    pub async fn touch(&self, id: BlobId) -> Result<Option<u64>, BlobsError> {
        let Some(folder) = &self.folder else { return bucket::touch(self, id).await };
        let file = folder.join(location::of_blob(id).as_ref());
        self.off_thread(move || folder::touch(&file)).await
    }

    /// Removes a blob that has not been touched since `before`; says whether it did.
    ///
    /// # Errors
    /// `Storage`.
    pub async fn remove_stale(&self, id: BlobId, before: SystemTime) -> Result<bool, BlobsError> {
        let removed = match &self.folder {
            None => bucket::remove(self, id, before).await?,
            Some(folder) => {
                let place = |path: object_store::path::Path| folder.join(path.as_ref());
                let (file, aside) = (place(location::of_blob(id)), place(location::of_upload()));
                self.off_thread(move || folder::remove(&file, &aside, before)).await?
            }
        };
        if removed {
            self.forget(id);
        }
        Ok(removed)
    }

    /// The blobs of one of 256 shards, the first byte of their ids, that have not been touched since `before`.
    pub fn stale(
        &self,
        shard: u8,
        before: SystemTime,
    ) -> impl Stream<Item = Result<BlobId, BlobsError>> + Send + use<> {
        let found = self.store.list(Some(&location::of_shard(shard)));
        let touches = self.folder.is_none().then(|| self.store.list(Some(&location::of_touches(shard))));
        let named = |object: &ObjectMeta| object.location.filename().and_then(|name| name.parse().ok());
        let is_old = move |object: &ObjectMeta| SystemTime::from(object.last_modified) < before;
        let stale = stream::once(async move {
            let touches = stream::iter(touches).flatten();
            let spared: HashSet<BlobId> = touches
                .try_filter_map(move |touch| {
                    std::future::ready(Ok(named(&touch).filter(|_| !is_old(&touch))))
                })
                .try_collect()
                .await?;
            Ok::<_, object_store::Error>(found.try_filter_map(move |object| {
                let id = named(&object).filter(|id| is_old(&object) && !spared.contains(id));
                std::future::ready(Ok(id))
            }))
        });
        stale.try_flatten().map_err(self.fault())
    }

    /// Removes what uploads and removals left that ended before their time, and what processes left half written that were
    /// killed.
    ///
    /// # Errors
    /// `Storage`.
    pub async fn clear_abandoned(&self) -> Result<(), BlobsError> {
        let Some(folder) = &self.folder else { return bucket::clear_abandoned(self).await };
        let uploads = folder.join(location::UPLOADS);
        let clear_uploads = move || {
            location::clear_abandoned(&uploads, |_| true);
            Ok(())
        };
        self.off_thread(clear_uploads).await?;
        for shard in 0..=u8::MAX {
            let blobs = folder.join(location::of_shard(shard).as_ref());
            let clear_shard = move || {
                folder::clear_abandoned(&blobs);
                Ok(())
            };
            self.off_thread(clear_shard).await?;
        }
        Ok(())
    }
}
