//! Models by URL: on this machine's disk before a job that wants one begins. Rule: a folder below the downloads is whole or
//! not there, and what a worker of this machine uses is not removed.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use millrace_contracts::job::ModelRef;
use millrace_contracts::{ErrorKind, JobError};
use millrace_fetch::{FetchError, FetchSettings, Fetcher, Wanted};
use millrace_inference::{BESIDE, download_folder, is_url};

/// Where the model comes from, on the wire.
const SOURCE: &str = "url";
/// A URL says what it must have with `#sha256=<hex>`, as Python's package installer does.
const DIGEST: &str = "sha256=";
/// Where a folder's graph may be.
const GRAPHS: [&str; 2] = ["model.onnx", "onnx/model.onnx"];
/// Models whose folders this process holds on to; the longest unused is let go.
const MOST_HELD: usize = 64;

/// The downloads. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Downloads {
    fetcher: Fetcher,
    folder: PathBuf,
    quota_bytes: u64,
    max_bytes: u64,
    /// Shared locks on what this process uses, with the time of last use.
    held: Arc<Mutex<HashMap<PathBuf, (File, SystemTime)>>>,
}

impl Downloads {
    pub(crate) fn new(settings: &millrace_config::Models) -> Self {
        let fetching =
            FetchSettings { allowed_hosts: settings.allowed_hosts.clone(), ..FetchSettings::default() };
        Self {
            fetcher: Fetcher::new(fetching),
            folder: settings.downloads.clone(),
            quota_bytes: settings.downloads_quota.bytes(),
            max_bytes: settings.max_file.bytes(),
            held: Arc::default(),
        }
    }

    /// Whether a model is one by URL.
    pub(crate) fn concern(model: &ModelRef) -> bool {
        model.source == SOURCE
    }

    /// Sees to it that a model by URL is on the disk; others are the repository's matter.
    pub(crate) async fn provide(&self, model: &ModelRef) -> Result<(), JobError> {
        if !Self::concern(model) {
            return Ok(());
        }
        if !is_url(&model.id) {
            let message = "with `model_source` url, `model_id` is an address: http://… or https://…";
            return Err(JobError::new(ErrorKind::InvalidConfig, message).at("/config/model_id"));
        }
        let folder = download_folder(&self.folder, &model.id);
        self.fetch(model.id.as_str(), &folder).await.map_err(|error| of_fetch(&error))
    }

    async fn fetch(&self, url: &str, folder: &Path) -> Result<(), FetchError> {
        self.hold(folder)?;
        if GRAPHS.iter().any(|graph| folder.join(graph).is_file()) {
            return Ok(());
        }
        let (address, fragment) = url.split_once('#').unwrap_or((url, ""));
        if !address.ends_with('/') {
            let sha256 = fragment.strip_prefix(DIGEST).map(str::to_owned);
            self.file(address, &folder.join(GRAPHS[0]), sha256).await?;
        } else {
            for name in BESIDE {
                passed_over(self.file(&format!("{address}{name}"), &folder.join(name), None).await)?;
            }
            // The graph last: a folder that has one is whole.
            let first = self.file(&format!("{address}{}", GRAPHS[0]), &folder.join(GRAPHS[0]), None).await;
            if !passed_over(first)? {
                self.file(&format!("{address}{}", GRAPHS[1]), &folder.join(GRAPHS[1]), None).await?;
            }
        }
        let (downloads, quota, own) = (self.folder.clone(), self.quota_bytes, folder.to_owned());
        // Best effort: a disk that cannot be tidied up serves all the same.
        drop(tokio::task::spawn_blocking(move || tidy_up(&downloads, quota, &own)).await);
        Ok(())
    }

    async fn file(&self, url: &str, file: &Path, sha256: Option<String>) -> Result<(), FetchError> {
        let wanted = Wanted { url: url.to_owned(), sha256, max_bytes: self.max_bytes };
        let done = self.fetcher.download(&wanted, file).await?;
        tracing::info!(file = %file.display(), bytes = done.bytes, sha256 = done.sha256, cached = done.cached, "model file downloaded");
        Ok(())
    }

    /// Keeps other workers from removing the folder.
    fn hold(&self, folder: &Path) -> Result<(), FetchError> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let now = SystemTime::now();
        if let Some((file, used)) = held.get_mut(folder) {
            *used = now;
            // What was used last is told by the lock's time; a clock that cannot be set costs an early removal at worst.
            drop(file.set_modified(now));
            return Ok(());
        }
        fs::create_dir_all(&self.folder)?;
        let file = OpenOptions::new().create(true).write(true).truncate(false).open(use_lock(folder))?;
        file.lock_shared()?;
        drop(file.set_modified(now));
        if held.len() >= MOST_HELD {
            let oldest = held.iter().min_by_key(|(_, (_, used))| *used).map(|(folder, _)| folder.clone());
            oldest.and_then(|oldest| held.remove(&oldest));
        }
        held.insert(folder.to_owned(), (file, now));
        Ok(())
    }
}

fn use_lock(folder: &Path) -> PathBuf {
    folder.with_extension("use")
}

/// Whether the file is there; that it is not is no fault.
fn passed_over(fetched: Result<(), FetchError>) -> Result<bool, FetchError> {
    match fetched {
        Ok(()) => Ok(true),
        Err(FetchError::Status { status: 403 | 404, .. }) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Removes folders, the longest unused first, until the rest fits; what somebody uses stays.
fn tidy_up(downloads: &Path, quota_bytes: u64, own: &Path) -> std::io::Result<()> {
    let mut folders = Vec::new();
    for entry in fs::read_dir(downloads)?.flatten().filter(|entry| entry.path().is_dir()) {
        let used = fs::metadata(use_lock(&entry.path())).and_then(|metadata| metadata.modified());
        folders.push((used.unwrap_or(SystemTime::UNIX_EPOCH), size_of(&entry.path()), entry.path()));
    }
    folders.sort();
    let mut total: u64 = folders.iter().map(|(_, bytes, _)| bytes).sum();
    for (_, bytes, folder) in folders {
        if total <= quota_bytes {
            break;
        }
        let lock = OpenOptions::new().create(true).write(true).truncate(false).open(use_lock(&folder))?;
        let free = folder != own && !matches!(lock.try_lock(), Err(TryLockError::WouldBlock));
        if free {
            fs::remove_dir_all(&folder)?;
            total -= bytes;
            tracing::info!(folder = %folder.display(), bytes, "a downloaded model was removed to make room");
        }
    }
    Ok(())
}

fn size_of(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .map(|entry| match entry.metadata() {
            Ok(metadata) if metadata.is_dir() => size_of(&entry.path()),
            Ok(metadata) => metadata.len(),
            Err(_) => 0,
        })
        .sum()
}

/// A fault of fetching as a job's error.
fn of_fetch(error: &FetchError) -> JobError {
    let kind = match error {
        FetchError::Address(_) | FetchError::Forbidden { .. } => ErrorKind::InvalidConfig,
        FetchError::Status { status: 404 | 410, .. } => ErrorKind::ModelNotFound,
        error if error.is_retryable() => ErrorKind::Network,
        FetchError::Disk(_) => ErrorKind::Internal,
        _ => ErrorKind::ModelLoadError,
    };
    JobError::new(kind, format!("the model could not be fetched: {error}")).at("/config/model_id")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn downloads(folder: &Path) -> Downloads {
        let settings = millrace_config::Models { downloads: folder.to_owned(), ..Default::default() };
        Downloads::new(&settings)
    }

    fn model(downloads: &Path, name: &str) -> PathBuf {
        let folder = downloads.join(name);
        fs::create_dir_all(folder.join("onnx")).unwrap();
        fs::write(folder.join("onnx/model.onnx"), vec![0; 1_000]).unwrap();
        folder
    }

    #[test]
    fn the_longest_unused_go_first_and_what_is_used_stays() {
        let folder = tempfile::tempdir().unwrap();
        let names = ["a", "b", "c", "d"].map(|name| model(folder.path(), name));
        let mine = downloads(folder.path());
        mine.hold(&names[0]).unwrap();
        for (age_s, name) in [(90, 1), (30, 2)] {
            let file = File::create(use_lock(&names[name])).unwrap();
            file.set_modified(SystemTime::now() - std::time::Duration::from_secs(age_s)).unwrap();
        }
        tidy_up(folder.path(), 3_000, &names[3]).unwrap();
        assert_eq!(names.each_ref().map(|name| name.is_dir()), [true, false, true, true]);
        tidy_up(folder.path(), 0, &names[3]).unwrap();
        assert_eq!(names.each_ref().map(|name| name.is_dir()), [true, false, false, true]);
    }

    #[tokio::test]
    async fn what_is_not_an_address_or_not_public_is_the_workflows_mistake() {
        let folder = tempfile::tempdir().unwrap();
        let mine = downloads(folder.path());
        for id in ["shapes-detector", "file:///etc/passwd", "http://127.0.0.1:1/model.onnx"] {
            let model = ModelRef { id: id.into(), source: SOURCE.to_owned(), digest: None };
            let error = mine.provide(&model).await.unwrap_err();
            assert_eq!((error.kind, error.retryable), (ErrorKind::InvalidConfig, false), "{error}");
        }
    }
}
