//! In a folder a blob's file carries the time of the last touch. Whoever removes sets it aside first, and then looks once more.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::Path;
use std::time::{Duration, SystemTime};

use millrace_contracts::BlobId;

use super::TOUCHED_FOR;
use crate::location;

/// A blob that is being looked at by who removes is back, or gone, after so many looks.
const LOOKS: u32 = 100;
const BETWEEN_LOOKS: Duration = Duration::from_millis(2);

pub(super) fn touch(file: &Path) -> io::Result<Option<u64>> {
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

pub(super) fn remove(file: &Path, aside: &Path, before: SystemTime) -> io::Result<bool> {
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
    decide(file, aside, before)
}

/// Removes what was set aside, or puts it back; says whether it is gone. From here on nobody can touch it who does not look again;
/// whoever did before is seen now.
fn decide(file: &Path, aside: &Path, before: SystemTime) -> io::Result<bool> {
    let decided = fs::metadata(aside).and_then(|found| found.modified()).and_then(|touched| {
        if touched < before {
            return fs::remove_file(aside).map(|()| true);
        }
        fs::rename(aside, file).map(|()| false)
    });
    match decided {
        // Another process that clears what was left behind takes it for that: it is as old as it was in its place.
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(true),
        decided => decided,
    }
}

/// Clears one shard of blobs that were half written.
pub(super) fn clear_abandoned(shard: &Path) {
    let Ok(folders) = fs::read_dir(shard) else { return };
    for folder in folders.flatten() {
        location::clear_abandoned(&folder.path(), grows);
    }
}

/// Whether it is the name of a blob that is being written: the store puts `#` and a number behind it until it is whole, and
/// lists no such file.
fn grows(name: &str) -> bool {
    name.split_once('#').is_some_and(|(blob, number)| {
        blob.parse::<BlobId>().is_ok()
            && !number.is_empty()
            && number.bytes().all(|byte| byte.is_ascii_digit())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_set_aside_is_removed_or_put_back_and_gone_where_another_has_cleared_it() {
        let folder = tempfile::tempdir().unwrap();
        let (file, aside) = (folder.path().join("blob"), folder.path().join("aside"));
        let now = SystemTime::now();
        let day = Duration::from_secs(24 * 3600);
        assert!(decide(&file, &aside, now).unwrap(), "another has cleared it");
        fs::write(&aside, "touched").unwrap();
        assert!(!decide(&file, &aside, now - day).unwrap());
        fs::rename(&file, &aside).unwrap();
        assert!(decide(&file, &aside, now + day).unwrap());
        assert!(!file.exists() && !aside.exists());
    }
}
