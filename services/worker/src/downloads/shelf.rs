//! The folder of downloaded models, within its quota. Rule: what a worker of this machine uses is not removed.

mod disk;

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use millrace_inference::download_folder;
use uuid::Uuid;

use self::disk::Disk;

/// Models whose folders this process holds on to; the longest unused is let go.
const MOST_HELD: usize = 64;
/// Who was given a folder has read it after this long: a job that takes longer has failed.
const IN_USE: Duration = Duration::from_secs(600);
/// What a folder is called by while it is removed: nobody takes what is left of it for a model.
const GONE: &str = "gone";

/// The folder. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Shelf {
    folder: PathBuf,
    quota_bytes: u64,
    /// Shared locks on what this process uses, with the time of last use.
    held: Arc<Mutex<HashMap<PathBuf, (File, SystemTime)>>>,
}

impl Shelf {
    pub(super) fn new(folder: PathBuf, quota_bytes: u64) -> Self {
        Self { folder, quota_bytes, held: Arc::default() }
    }

    /// The place of what is fetched as `what`, kept from being removed by other workers.
    pub(super) fn hold(&self, what: &str) -> std::io::Result<PathBuf> {
        self.hold_folder(self.place_of(what))
    }

    /// The same for a folder that is known.
    pub(super) fn hold_folder(&self, folder: PathBuf) -> std::io::Result<PathBuf> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let now = SystemTime::now();
        if let Some((file, used)) = held.get_mut(&folder) {
            *used = now;
            // What was used last is told by the lock's time; a clock that cannot be set costs an early removal at worst.
            drop(file.set_modified(now));
            return Ok(folder);
        }
        fs::create_dir_all(&self.folder)?;
        let file = OpenOptions::new().create(true).write(true).truncate(false).open(use_lock(&folder))?;
        file.lock_shared()?;
        drop(file.set_modified(now));
        if held.len() >= MOST_HELD {
            let oldest = held.iter().min_by_key(|(_, (_, used))| *used).map(|(folder, _)| folder.clone());
            oldest.and_then(|oldest| held.remove(&oldest));
        }
        held.insert(folder.clone(), (file, now));
        Ok(folder)
    }

    /// Where what is fetched as `what` has its place.
    pub(super) fn place_of(&self, what: &str) -> PathBuf {
        download_folder(&self.folder, what)
    }

    /// Where the name stands of the folder that `what` came to last.
    pub(super) fn latest_of(&self, what: &str) -> PathBuf {
        download_folder(&self.folder, what).with_extension("latest")
    }

    /// The folder that `what` came to last, or the one that has its own name; none where it is gone.
    pub(super) fn latest(&self, what: &str) -> Option<PathBuf> {
        let named = fs::read_to_string(self.latest_of(what)).ok();
        let folder = named.map_or_else(|| download_folder(&self.folder, what), |name| self.folder.join(name));
        folder.is_dir().then_some(folder)
    }

    /// Removes folders, the longest unused first, until the rest fits; `own`, and what somebody uses, stay. Best effort: a
    /// disk that cannot be tidied up serves all the same.
    pub(super) async fn tidy_up(&self, own: &Path) {
        let (shelf, own) = (self.clone(), own.to_owned());
        drop(tokio::task::spawn_blocking(move || shelf.tidy_up_to(shelf.quota_bytes, &own)).await);
    }

    fn tidy_up_to(&self, quota_bytes: u64, own: &Path) -> std::io::Result<()> {
        let (mut folders, mut disk) = (Vec::new(), Disk::default());
        let found =
            fs::read_dir(&self.folder)?.flatten().map(|entry| entry.path()).filter(|path| path.is_dir());
        let is_gone = |folder: &PathBuf| folder.extension().is_some_and(|extension| extension == GONE);
        let (gone, there): (Vec<_>, Vec<_>) = found.partition(is_gone);
        for folder in gone {
            // Somebody is removing it, or was stopped in the middle of that.
            drop(fs::remove_dir_all(folder));
        }
        for folder in there {
            let used = fs::metadata(use_lock(&folder)).and_then(|metadata| metadata.modified());
            disk.add(&folder);
            folders.push((used.unwrap_or(SystemTime::UNIX_EPOCH), folder));
        }
        folders.sort();
        for (_, folder) in folders {
            if disk.total_bytes() <= quota_bytes {
                break;
            }
            self.let_go(&folder);
            let lock = OpenOptions::new().create(true).write(true).truncate(false).open(use_lock(&folder))?;
            let free = folder != own && !matches!(lock.try_lock(), Err(TryLockError::WouldBlock));
            if free {
                let gone = folder.with_extension(format!("{}.{GONE}", Uuid::new_v4()));
                fs::rename(&folder, &gone)?;
                // Who wants the folder now waits for no more than that.
                drop(lock);
                // What is left of it, the next who tidies up removes.
                drop(fs::remove_dir_all(&gone));
                let bytes = disk.removed(&folder);
                tracing::info!(folder = %folder.display(), bytes, "a downloaded model was removed to make room");
            }
        }
        Ok(())
    }

    /// Holds a folder no more that nobody of this process has asked for in a while.
    fn let_go(&self, folder: &Path) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let is_old = |used: &SystemTime| used.elapsed().is_ok_and(|age| age > IN_USE);
        if held.get(folder).is_some_and(|(_, used)| is_old(used)) {
            held.remove(folder);
        }
    }
}

fn use_lock(folder: &Path) -> PathBuf {
    folder.with_extension("use")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn model(shelf: &Shelf, name: &str) -> PathBuf {
        let folder = download_folder(&shelf.folder, name);
        fs::create_dir_all(folder.join("onnx")).unwrap();
        fs::write(folder.join("onnx/model.onnx"), vec![0; 1_000]).unwrap();
        folder
    }

    #[test]
    fn what_is_left_of_a_removal_that_was_stopped_is_removed_and_is_no_model() {
        let place = tempfile::tempdir().unwrap();
        let shelf = Shelf::new(place.path().to_owned(), 0);
        let names = ["a", "b"].map(|name| model(&shelf, name));
        let left = names[0].with_extension(format!("x.{GONE}"));
        fs::rename(&names[0], &left).unwrap();
        shelf.tidy_up_to(1_000, &names[1]).unwrap();
        assert_eq!([left.exists(), names[0].exists(), names[1].exists()], [false, false, true]);
        shelf.tidy_up_to(0, &names[0]).unwrap();
        let left = fs::read_dir(place.path()).unwrap().flatten().filter(|entry| entry.path().is_dir());
        assert_eq!(left.count(), 0);
    }

    #[test]
    fn what_came_last_is_found_by_its_name_or_by_what_is_noted() {
        let place = tempfile::tempdir().unwrap();
        let shelf = Shelf::new(place.path().to_owned(), 0);
        assert_eq!(shelf.latest("a"), None);
        let own = model(&shelf, "a");
        assert_eq!(shelf.latest("a"), Some(own));
        let later = model(&shelf, "a, later");
        fs::write(shelf.latest_of("a"), later.file_name().unwrap().as_encoded_bytes()).unwrap();
        assert_eq!(shelf.latest("a"), Some(later.clone()));
        fs::remove_dir_all(later).unwrap();
        assert_eq!(shelf.latest("a"), None);
    }

    #[test]
    fn what_two_have_in_common_counts_once() {
        let place = tempfile::tempdir().unwrap();
        let shelf = Shelf::new(place.path().to_owned(), 0);
        let names = ["a", "b"].map(|name| model(&shelf, name));
        let graph = "onnx/model.onnx";
        fs::remove_file(names[1].join(graph)).unwrap();
        fs::hard_link(names[0].join(graph), names[1].join(graph)).unwrap();
        shelf.tidy_up_to(1_000, &names[1]).unwrap();
        assert_eq!(names.each_ref().map(|folder| folder.is_dir()), [true, true]);
    }

    #[test]
    fn what_two_have_in_common_comes_free_with_the_last_of_them() {
        let place = tempfile::tempdir().unwrap();
        let shelf = Shelf::new(place.path().to_owned(), 0);
        let names = ["a", "b", "c"].map(|name| model(&shelf, name));
        let graph = "onnx/model.onnx";
        fs::remove_file(names[1].join(graph)).unwrap();
        fs::hard_link(names[0].join(graph), names[1].join(graph)).unwrap();
        for (age_s, name) in [(90, 0), (60, 1), (30, 2)] {
            let file = File::create(use_lock(&names[name])).unwrap();
            file.set_modified(SystemTime::now() - Duration::from_secs(age_s)).unwrap();
        }
        shelf.tidy_up_to(1_500, &names[2]).unwrap();
        let there = names.each_ref().map(|folder| folder.is_dir());
        assert_eq!(there, [false, false, true], "without the first of them nothing is freed");
    }

    #[test]
    fn the_longest_unused_go_first_and_what_is_used_stays() {
        let place = tempfile::tempdir().unwrap();
        let shelf = Shelf::new(place.path().to_owned(), 0);
        let names = ["a", "b", "c", "d"].map(|name| model(&shelf, name));
        assert_eq!(shelf.hold("a").unwrap(), names[0]);
        for (age_s, name) in [(90, 1), (30, 2)] {
            let file = File::create(use_lock(&names[name])).unwrap();
            file.set_modified(SystemTime::now() - std::time::Duration::from_secs(age_s)).unwrap();
        }
        shelf.tidy_up_to(3_000, &names[3]).unwrap();
        assert_eq!(names.each_ref().map(|name| name.is_dir()), [true, false, true, true]);
        shelf.tidy_up_to(0, &names[3]).unwrap();
        assert_eq!(names.each_ref().map(|name| name.is_dir()), [true, false, false, true]);
        // Whoever asked for it so long ago has read it.
        let long_ago = SystemTime::now() - 2 * IN_USE;
        shelf.held.lock().unwrap().get_mut(&names[0]).unwrap().1 = long_ago;
        shelf.tidy_up_to(0, &names[3]).unwrap();
        assert_eq!(names.each_ref().map(|name| name.is_dir()), [false, false, false, true]);
    }
}
