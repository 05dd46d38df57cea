//! Where the store is, from what people write, and where things lie in it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use millrace_config::Location;
use millrace_contracts::BlobId;
use object_store::ObjectStore;
use object_store::local::LocalFileSystem;
use object_store::path::Path as ObjectPath;
use uuid::Uuid;

use crate::{BlobsError, BlobsSettings};

pub(crate) const UPLOADS: &str = "tmp";
/// Removals under way, in a bucket.
pub(crate) const LEAVING: &str = "leaving";
/// An upload that has not ended by then never will.
pub(crate) const ABANDONED_AFTER: Duration = Duration::from_secs(24 * 60 * 60);

/// A store, and the folder that it is.
pub(crate) struct Opened {
    pub(crate) store: Arc<dyn ObjectStore>,
    /// None for a bucket.
    pub(crate) folder: Option<PathBuf>,
    /// What it is called.
    pub(crate) address: String,
}

/// Opens a bucket; or a folder, making it where it is missing, and clearing what killed processes left half written.
pub(crate) fn open(settings: &BlobsSettings) -> Result<Opened, BlobsError> {
    let fault = |reason: String| BlobsError::Settings { url: settings.url.clone(), reason };
    let location: Location = settings.url.parse().map_err(fault)?;
    let address = location.to_string();
    match location {
        Location::Bucket(bucket) => {
            let store = millrace_objects::open(&bucket, &settings.objects)
                .map_err(|error| fault(error.to_string()))?;
            Ok(Opened { store, folder: None, address })
        }
        Location::Folder(folder) => {
            std::fs::create_dir_all(&folder)
                .map_err(|error| fault(format!("the folder {} cannot be made: {error}", folder.display())))?;
            clear_abandoned(&folder.join(UPLOADS), |_| true);
            let store =
                LocalFileSystem::new_with_prefix(&folder).map_err(|error| fault(error.to_string()))?;
            Ok(Opened { store: Arc::new(store.with_fsync(settings.sync)), folder: Some(folder), address })
        }
    }
}

/// Removes the files of `folder` whose names say that they grow, and that have not for long. Best effort: what stays is cleared
/// another time.
pub(crate) fn clear_abandoned(folder: &Path, grows: impl Fn(&str) -> bool) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten().filter(|entry| entry.file_name().to_str().is_some_and(&grows)) {
        let written = entry.metadata().and_then(|metadata| metadata.modified());
        let age = written.map(|written| SystemTime::now().duration_since(written).unwrap_or_default());
        if age.is_ok_and(|age| age > ABANDONED_AFTER) && std::fs::remove_file(entry.path()).is_ok() {
            tracing::info!(blob.upload = %entry.path().display(), "cleared what was left half written");
        }
    }
}

/// `sha256/ab/cd/abcd…`: two levels keep folders small at millions of blobs.
pub(crate) fn of_blob(id: BlobId) -> ObjectPath {
    let hex = id.to_string();
    ObjectPath::from(format!("sha256/{}/{}/{hex}", &hex[..2], &hex[2..4]))
}

/// Where the blobs are whose ids begin with this byte.
pub(crate) fn of_shard(shard: u8) -> ObjectPath {
    ObjectPath::from(format!("sha256/{shard:02x}"))
}

/// What says, in a bucket, when a blob was last touched.
pub(crate) fn of_touch(id: BlobId) -> ObjectPath {
    let hex = id.to_string();
    ObjectPath::from(format!("touched/{}/{hex}", &hex[..2]))
}

/// The same of all blobs whose ids begin with this byte.
pub(crate) fn of_touches(shard: u8) -> ObjectPath {
    ObjectPath::from(format!("touched/{shard:02x}"))
}

/// What says, in a bucket, that a blob is being removed.
pub(crate) fn of_leaving(id: BlobId) -> ObjectPath {
    ObjectPath::from(format!("{LEAVING}/{id}"))
}

/// Where an upload grows until its digest is known.
pub(crate) fn of_upload() -> ObjectPath {
    ObjectPath::from(format!("{UPLOADS}/{}", Uuid::new_v4()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_blob_lies_under_its_digest() {
        let id = BlobId::of(b"");
        assert_eq!(
            of_blob(id).to_string(),
            "sha256/e3/b0/e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
    }
}
