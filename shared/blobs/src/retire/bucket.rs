//! In a bucket nobody can set an object's time, nor move it aside. So a touch is an object of its own, and a removal under way
//! is another. Whoever touches writes the one and then looks for the other, and whoever removes does it the other way round:
//! the store is consistent, so at least one of the two sees the other.

use std::time::{Duration, Instant, SystemTime};

use futures::TryStreamExt;
use millrace_contracts::BlobId;
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt, PutMode, PutPayload};

use super::TOUCHED_FOR;
use crate::location::{self, ABANDONED_AFTER, LEAVING, UPLOADS};
use crate::{Blobs, BlobsError};

/// A removal that did not get as far as to delete within so long is given up.
const REMOVES_WITHIN: Duration = Duration::from_secs(5);
/// One that has not ended after so long never will: time enough for a deletion that is tried again and again.
const LEFT_AFTER: Duration = Duration::from_secs(30);
const BETWEEN_LOOKS: Duration = Duration::from_millis(50);

pub(super) async fn touch(blobs: &Blobs, id: BlobId) -> Result<Option<u64>, BlobsError> {
    let (place, mark, leaving) = (location::of_blob(id), location::of_touch(id), location::of_leaving(id));
    let Some(found) = blobs.meta(&place).await? else { return Ok(None) };
    if is_fresh(&found) {
        return Ok(Some(found.size));
    }
    if !blobs.meta(&mark).await?.is_some_and(|mark| is_fresh(&mark)) {
        blobs.store.put(&mark, PutPayload::new()).await.map_err(blobs.fault())?;
    }
    // From here on nobody begins to remove it; who has begun is waited for.
    let begun = Instant::now();
    while blobs.meta(&leaving).await?.is_some() {
        if begun.elapsed() > LEFT_AFTER {
            blobs.delete_object(&leaving).await?;
        }
        tokio::time::sleep(BETWEEN_LOOKS).await;
    }
    Ok(blobs.meta(&place).await?.map(|found| found.size))
}

fn is_fresh(object: &ObjectMeta) -> bool {
    age(object) < TOUCHED_FOR
}

fn age(object: &ObjectMeta) -> Duration {
    SystemTime::now().duration_since(object.last_modified.into()).unwrap_or_default()
}

pub(super) async fn remove(blobs: &Blobs, id: BlobId, before: SystemTime) -> Result<bool, BlobsError> {
    if !is_stale(blobs, id, before).await? {
        return Ok(false);
    }
    let (leaving, begun) = (location::of_leaving(id), Instant::now());
    match blobs.store.put_opts(&leaving, PutPayload::new(), PutMode::Create.into()).await {
        Ok(_) => {}
        // Somebody else removes it.
        Err(object_store::Error::AlreadyExists { .. }) => return Ok(false),
        Err(error) => return Err(blobs.fault()(error)),
    }
    let removed = async {
        // Who touched it before it was said to be leaving is seen now.
        if !is_stale(blobs, id, before).await? || begun.elapsed() > REMOVES_WITHIN {
            return Ok(false);
        }
        blobs.delete_object(&location::of_blob(id)).await?;
        blobs.delete_object(&location::of_touch(id)).await?;
        Ok(true)
    };
    let removed = removed.await;
    blobs.delete_object(&leaving).await?;
    removed
}

/// Whether it is there and nobody has touched it since `before`.
async fn is_stale(blobs: &Blobs, id: BlobId, before: SystemTime) -> Result<bool, BlobsError> {
    let is_old = |object: ObjectMeta| SystemTime::from(object.last_modified) < before;
    let (place, mark) = (location::of_blob(id), location::of_touch(id));
    Ok(blobs.meta(&place).await?.is_some_and(is_old) && blobs.meta(&mark).await?.is_none_or(is_old))
}

pub(super) async fn clear_abandoned(blobs: &Blobs) -> Result<(), BlobsError> {
    for folder in [UPLOADS, LEAVING] {
        let mut found = blobs.store.list(Some(&Path::from(folder)));
        while let Some(object) = found.try_next().await.map_err(blobs.fault())? {
            if age(&object) > ABANDONED_AFTER {
                blobs.delete_object(&object.location).await?;
                tracing::info!(blob.upload = %object.location, "cleared what was abandoned");
            }
        }
    }
    Ok(())
}
