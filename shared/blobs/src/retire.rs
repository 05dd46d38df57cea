//! Keeping what is used and removing what is not. Whoever means to refer to a blob touches it; what has not been touched for
//! long may be removed. Both go by the time that the file carries, so that no matter how they meet, a blob that was touched is
//! there afterwards, or the touch says that it is not.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use futures::{Stream, TryStreamExt};
use millrace_contracts::BlobId;
use object_store::ObjectStore;

use crate::{Blobs, BlobsError, location};

/// What was touched so lately is not touched again: most blobs are used soon after they were stored.
pub const TOUCHED_FOR: Duration = Duration::from_secs(6 * 3600);
/// A blob that is being looked at by who removes is back, or gone, after so many looks.
const LOOKS: u32 = 100;
const BETWEEN_LOOKS: Duration = Duration::from_millis(2);

impl Blobs {
    /// The size of a blob that is about to be referred to, bytes; none when there is no such blob. It stays for as long as blobs
    /// that nobody refers to are kept, less [`TOUCHED_FOR`].
    ///
    /// # Errors
    /// `Storage`.
    pub async fn touch(&self, id: BlobId) -> Result<Option<u64>, BlobsError> {
        let file = self.file(id);
        off_thread(move || touch(&file)).await
    }

    /// Removes a blob that has not been touched since `before`; says whether it did.
    ///
    /// # Errors
    /// `Storage`.
    pub async fn remove_stale(&self, id: BlobId, before: SystemTime) -> Result<bool, BlobsError> {
        let (file, aside) = (self.file(id), self.folder.join(location::of_upload().as_ref()));
        let removed = off_thread(move || remove(&file, &aside, before)).await?;
        if removed {
            self.forget(id).await;
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
        found.map_err(BlobsError::Storage).try_filter_map(move |object| {
            let id = object.location.filename().and_then(|name| name.parse().ok());
            let is_stale = SystemTime::from(object.last_modified) < before;
            std::future::ready(Ok(id.filter(|_| is_stale)))
        })
    }

    fn file(&self, id: BlobId) -> PathBuf {
        self.folder.join(location::of_blob(id).as_ref())
    }
}

async fn off_thread<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, BlobsError> {
    let done = tokio::task::spawn_blocking(work).await.map_err(io::Error::other);
    done.and_then(|done| done).map_err(|error| {
        BlobsError::Storage(object_store::Error::Generic { store: "blobs", source: error.into() })
    })
}

fn touch(file: &Path) -> io::Result<Option<u64>> {
    let now = SystemTime::now();
    for look in 0..LOOKS {
        if look > 0 {
            std::thread::sleep(BETWEEN_LOOKS);
        }
        let found = match fs::metadata(file) {
            Ok(found) => found,
            Err(error) if error.kind() == ErrorKind::NotFound && look == 0 => return Ok(None),
            // It was there a moment ago: who removes it has set it aside, and puts it back if the touch came in time.
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        if now.duration_since(found.modified()?).unwrap_or_default() < TOUCHED_FOR {
            return Ok(Some(found.len()));
        }
        match File::open(file).and_then(|file| file.set_modified(now)) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}

fn remove(file: &Path, aside: &Path, before: SystemTime) -> io::Result<bool> {
    let gone = |error: io::Error| if error.kind() == ErrorKind::NotFound { Ok(false) } else { Err(error) };
    match fs::metadata(file).and_then(|found| found.modified()) {
        Ok(touched) if touched >= before => return Ok(false),
        Ok(_) => {}
        Err(error) => return gone(error),
    }
    if let Some(folder) = aside.parent() {
        fs::create_dir_all(folder)?;
    }
    if let Err(error) = fs::rename(file, aside) {
        return gone(error);
    }
    // From here on nobody can touch it who does not look again; whoever did before is seen now.
    if fs::metadata(aside)?.modified()? >= before {
        fs::rename(aside, file)?;
        return Ok(false);
    }
    fs::remove_file(aside)?;
    Ok(true)
}
