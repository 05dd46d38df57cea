//! Folders for servers under test, and the removal of those that killed tests left behind.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Once;

use tempfile::TempDir;

const PREFIX: &str = "millrace-test-";

/// A temporary folder that other users may enter, as a Postgres that runs as one must. Removed when dropped.
///
/// # Errors
/// When the folder cannot be made.
pub fn test_folder() -> std::io::Result<TempDir> {
    static SWEPT: Once = Once::new();
    SWEPT.call_once(|| sweep(&std::env::temp_dir()));
    tempfile::Builder::new()
        .prefix(&format!("{PREFIX}{}-", std::process::id()))
        .permissions(std::fs::Permissions::from_mode(0o711))
        .tempdir()
}

/// Removes the folders of test processes that are gone: a killed test cannot do it itself.
fn sweep(parent: &Path) {
    for entry in std::fs::read_dir(parent).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let owner =
            name.to_str().and_then(|name| name.strip_prefix(PREFIX)?.split('-').next()?.parse::<u32>().ok());
        let gone = |pid: u32| !Path::new("/proc").join(pid.to_string()).exists();
        if owner.is_some_and(gone) {
            // Somebody else's, or being removed by another sweep: neither concerns this test.
            _ = std::fs::remove_dir_all(entry.path());
        }
    }
}
