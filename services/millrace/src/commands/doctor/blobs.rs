//! Whether blobs can be kept. Nothing stays behind of having looked.

use std::path::{Path, PathBuf};

use millrace_config::{Location, Settings};

use super::checks::Fault;
use crate::fault::told;
use crate::roles;

const ELSEWHERE: &str =
    "set blobs.url to a folder that this user may write, or to a bucket, with its key in [objects]";
const SPACE: &str = "make room on its disk, or set blobs.url to a folder on another, or to a bucket";
/// How the system words that a disk, or what this user may have of it, is full.
const FULL: [&str; 2] = ["No space left on device", "quota exceeded"];

/// Lists, writes, reads and removes an object.
pub(super) async fn blobs(settings: &Settings) -> Result<String, Fault> {
    let url = &settings.blobs.url;
    let made = url.parse().map_or_else(|_| Vec::new(), |location: Location| missing_folders(&location));
    let checked = match roles::blobs(settings) {
        Ok(blobs) => blobs.check().await.map_err(|fault| fault.to_string()),
        Err(fault) => Err(told(&fault)),
    };
    for folder in made {
        // One that somebody uses by now stays.
        _ = std::fs::remove_dir(folder);
    }
    checked.map(|()| url.clone()).map_err(|text| Fault::with(remedy(&text))(text))
}

fn remedy(fault: &str) -> &'static str {
    let is_full = FULL.iter().any(|words| fault.to_ascii_lowercase().contains(&words.to_ascii_lowercase()));
    if is_full { SPACE } else { ELSEWHERE }
}

/// The folders that opening the store will make, the innermost first.
fn missing_folders(location: &Location) -> Vec<PathBuf> {
    let ancestors = location.folder().into_iter().flat_map(Path::ancestors);
    let named = ancestors.filter(|folder| !folder.as_os_str().is_empty());
    named.take_while(|folder| !folder.exists()).map(Path::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_wants_room() {
        let fault = |text: &str| remedy(&format!("the blob store failed: .millrace/blobs failed: {text}"));
        assert_eq!(fault("No space left on device (os error 28)"), SPACE);
        assert_eq!(fault("Disk quota exceeded (os error 122)"), SPACE);
        assert_eq!(fault("Permission denied (os error 13)"), ELSEWHERE);
    }
}
