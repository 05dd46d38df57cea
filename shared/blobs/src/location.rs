//! Where the store is, from what people write: a folder or a URL.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use millrace_contracts::BlobId;
use object_store::local::LocalFileSystem;
use object_store::path::Path as ObjectPath;
use url::Url;
use uuid::Uuid;

use crate::{BlobsError, BlobsSettings};

const UPLOADS: &str = "tmp";
/// An upload that has not ended by then never will.
const ABANDONED_AFTER: Duration = Duration::from_secs(24 * 60 * 60);

/// Opens the folder, making it where it is missing, and clears what killed processes left half written.
pub(crate) fn open(settings: &BlobsSettings) -> Result<(LocalFileSystem, PathBuf), BlobsError> {
    let fault = |reason: String| BlobsError::Settings { url: settings.url.clone(), reason };
    let folder = folder(&settings.url).map_err(fault)?;
    std::fs::create_dir_all(&folder)
        .map_err(|error| fault(format!("the folder {} cannot be made: {error}", folder.display())))?;
    clear_abandoned(&folder.join(UPLOADS));
    let store = LocalFileSystem::new_with_prefix(&folder).map_err(|error| fault(error.to_string()))?;
    Ok((store.with_fsync(settings.sync), folder))
}

fn folder(url: &str) -> Result<PathBuf, String> {
    if url.trim().is_empty() {
        return Err("name a folder, or a file:// URL".to_owned());
    }
    // `C:\…` and `a:b` are no URLs with an authority.
    let Some((scheme, _)) = url.split_once("://") else { return Ok(PathBuf::from(url)) };
    if scheme != "file" {
        return Err(format!("{scheme}:// is not supported by this version; name a folder, or a file:// URL"));
    }
    let parsed = Url::parse(url).map_err(|error| error.to_string())?;
    parsed.to_file_path().map_err(|()| "a file:// URL has no host: file:///path/to/folder".to_owned())
}

/// Best effort: what stays is cleared another time.
fn clear_abandoned(uploads: &Path) {
    let Ok(entries) = std::fs::read_dir(uploads) else { return };
    for entry in entries.flatten() {
        let written = entry.metadata().and_then(|metadata| metadata.modified());
        let age = written.map(|written| SystemTime::now().duration_since(written).unwrap_or_default());
        if age.is_ok_and(|age| age > ABANDONED_AFTER) && std::fs::remove_file(entry.path()).is_ok() {
            tracing::info!(blob.upload = %entry.path().display(), "cleared an abandoned upload");
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

/// Where an upload grows until its digest is known.
pub(crate) fn of_upload() -> ObjectPath {
    ObjectPath::from(format!("{UPLOADS}/{}", Uuid::new_v4()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_and_file_urls_are_folders_and_nothing_else_is() {
        assert_eq!(folder("./data/blobs").unwrap(), PathBuf::from("./data/blobs"));
        assert_eq!(folder("file:///var/with%20space").unwrap(), PathBuf::from("/var/with space"));
        assert!(folder("s3://bucket/prefix").unwrap_err().contains("s3:// is not supported"));
        assert!(folder("file://host/path").is_err());
        assert!(folder(" ").is_err());
    }

    #[test]
    fn a_blob_lies_under_its_digest() {
        let id = BlobId::of(b"");
        assert_eq!(
            of_blob(id).to_string(),
            "sha256/e3/b0/e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
    }
}
