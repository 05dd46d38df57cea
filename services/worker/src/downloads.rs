//! Models from elsewhere, brought to this machine's disk: those by URL, the registered ones, and those of a repository in an
//! object store. Rule: a folder below the downloads that has its mark, of a bucket the list of its files, is whole.

mod address;
pub(crate) mod bucket;
mod porter;
mod registered;
mod shelf;
mod web;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use millrace_contracts::{ErrorKind, JobError, ModelId};
use millrace_fetch::{Expected, FetchError, FetchSettings, Fetcher, Wanted, keep};
use millrace_inference::{GRAPHS, Overrides, files_among, validate_model_id};
use uuid::Uuid;

pub(crate) use self::address::Trust;
use self::bucket::{Bucket, Copy, of_store};
use self::porter::Errands;
pub(crate) use self::porter::Porter;
use self::shelf::Shelf;
use crate::error::of_inference;

/// What a folder has once it is whole. Hidden: no graph can name it as the place of its weights.
const WHOLE: &str = ".whole";
/// What a folder from a bucket has once it is whole: the list of what lies there.
const LISTED: &str = "objects.json";

/// The downloads. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Downloads {
    fetcher: Fetcher,
    /// The repository, where it is in an object store.
    bucket: Option<Bucket>,
    shelf: Shelf,
    errands: Errands,
    /// Held by who puts the model at an address where the cache finds it.
    placing: Arc<std::sync::Mutex<()>>,
    max_bytes: u64,
    retries: u32,
}

/// A model on this machine's disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Brought {
    pub(crate) folder: PathBuf,
    /// Whether it was not there before.
    pub(crate) now: bool,
}

impl Downloads {
    /// They, and who brings them.
    pub(crate) fn open(settings: &millrace_config::Models, bucket: Option<Bucket>) -> (Self, Porter) {
        let (errands, porter) = porter::open(settings.download_limit);
        let fetching = FetchSettings {
            allowed_hosts: settings.allowed_hosts.clone(),
            allowed_by: "models.allowed_hosts",
            ..FetchSettings::default()
        };
        let downloads = Self {
            retries: fetching.retries,
            fetcher: Fetcher::new(fetching),
            bucket,
            shelf: Shelf::new(settings.downloads.clone(), settings.downloads_quota.bytes()),
            errands,
            placing: Arc::default(),
            max_bytes: settings.max_file.bytes(),
        };
        (downloads, porter)
    }

    /// The longest that bringing a model may take.
    pub(crate) fn limit(&self) -> Duration {
        self.errands.limit()
    }

    /// Brings the model `id` of the repository in an object store, in the copy that lies there; none where the repository is
    /// a folder, or has no such model. Each copy has a folder of its own.
    pub(crate) async fn of_bucket(&self, id: &ModelId) -> Result<Option<Brought>, JobError> {
        let Some(bucket) = &self.bucket else { return Ok(None) };
        validate_model_id(id).map_err(|error| of_inference(&error))?;
        let copy = bucket.copy(id).await.map_err(|error| of_fetch(&of_store(&error)))?;
        let Some(copy) = copy else { return Ok(None) };
        let name = bucket.name(id, &copy);
        let folder = self.shelf.hold(&name).map_err(|error| of_fetch(&error.into()))?;
        if folder.join(LISTED).is_file() {
            return Ok(Some(Brought { folder, now: false }));
        }
        let (this, bucket, id, of) = (self.clone(), bucket.clone(), id.clone(), folder.clone());
        let errand = || async move { this.bring_copy(&bucket, (&id, &copy), (of, name)).await };
        self.errands.once(&folder, errand).await.map(Some)
    }

    async fn bring_copy(
        &self,
        bucket: &Bucket,
        (id, copy): (&ModelId, &Copy),
        (folder, name): (PathBuf, String),
    ) -> Result<Brought, JobError> {
        if folder.join(LISTED).is_file() {
            return Ok(Brought { folder, now: false });
        }
        // What went wrong may be that it is something else by now: the next job looks again.
        let fetched = self.fetch_copy(bucket, (id, copy), &folder).await;
        self.shelf.tidy_up(&folder).await;
        fetched.inspect_err(|_| bucket.forget(id))?;
        write(&folder.join(LISTED), name.as_bytes()).await?;
        Ok(Brought { folder, now: true })
    }

    async fn fetch_copy(
        &self,
        bucket: &Bucket,
        (id, copy): (&ModelId, &Copy),
        folder: &Path,
    ) -> Result<(), JobError> {
        let names = copy.names();
        // First: it may name the graph.
        if names.contains(Overrides::FILE) {
            self.object(bucket, (id, copy), Overrides::FILE, folder).await?;
        }
        let graph = Overrides::read(id, folder).map_err(|error| of_inference(&error))?.graph;
        let files = files_among(&names, graph.as_deref()).ok_or_else(|| {
            let graph = graph.as_deref().unwrap_or(GRAPHS[0]);
            let message = format!("the model {id} has no {graph} in the model repository");
            JobError::new(ErrorKind::ModelNotFound, message).at("/config/model_id")
        })?;
        for name in &files {
            self.object(bucket, (id, copy), name, folder).await?;
        }
        Ok(())
    }

    async fn object(
        &self,
        bucket: &Bucket,
        (id, copy): (&ModelId, &Copy),
        name: &str,
        folder: &Path,
    ) -> Result<(), JobError> {
        let Some(object) = copy.object(name) else { return Ok(()) };
        let expected = Expected {
            sha256: None,
            bytes: Some(object.bytes),
            max_bytes: self.max_bytes,
            retries: self.retries,
        };
        let (source, file) = (bucket.source(id, name, object), folder.join(name));
        let done = keep(&source, &expected, &file).await.map_err(|error| of_fetch(&error))?;
        tracing::info!(file = %file.display(), bytes = done.bytes, sha256 = done.sha256, cached = done.cached, "model file downloaded");
        Ok(())
    }

    /// Brings a file, or takes what came of its address `before`, where that is still there.
    async fn wanted(&self, wanted: &Wanted, file: &Path, before: Option<&Path>) -> Result<(), FetchError> {
        let done = self.fetcher.download_after(wanted, file, before).await?;
        tracing::info!(file = %file.display(), bytes = done.bytes, sha256 = done.sha256, cached = done.cached, "model file downloaded");
        Ok(())
    }
}

fn is_whole(folder: &Path) -> bool {
    folder.join(WHOLE).is_file()
}

/// Writes a file whole or not at all. Others, of this process too, may write the same at the same time.
async fn write(file: &Path, bytes: &[u8]) -> Result<(), JobError> {
    let unfinished = file.with_added_extension(format!("{}.part", Uuid::new_v4()));
    let done = async {
        if let Some(folder) = file.parent() {
            tokio::fs::create_dir_all(folder).await?;
        }
        tokio::fs::write(&unfinished, bytes).await?;
        tokio::fs::rename(&unfinished, file).await
    };
    done.await.map_err(|error| of_fetch(&error.into()))
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
    not_fetched(kind, error)
}

fn not_fetched(kind: ErrorKind, why: &dyn std::error::Error) -> JobError {
    JobError::new(kind, format!("the model could not be fetched: {why}")).at("/config/model_id")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_file_that_many_write_at_once_is_whole_for_each_of_them() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("m/model.onnx");
        let bytes = vec![7; 1 << 20];
        let writes = futures::future::join_all((0..16).map(|_| async {
            write(&file, &bytes).await?;
            Ok::<_, JobError>(std::fs::read(&file).is_ok_and(|found| found == bytes))
        }));
        assert!(writes.await.into_iter().all(|whole| whole.unwrap()));
        assert_eq!(
            std::fs::read_dir(folder.path().join("m")).unwrap().count(),
            1,
            "nothing is left beside it"
        );
    }

    #[tokio::test]
    async fn what_is_not_public_is_the_workflows_mistake() {
        let folder = tempfile::tempdir().unwrap();
        let settings = millrace_config::Models { downloads: folder.path().to_owned(), ..Default::default() };
        let (mine, porter) = Downloads::open(&settings, None);
        let done = millrace_tasks::CancellationToken::new();
        let id = "http://127.0.0.1:1/model.onnx".into();
        let asking = async { (mine.by_url(&id, Trust::Usual).await, done.cancel()) };
        let ((brought, ()), carried) = tokio::join!(asking, porter.carry(done.clone()));
        assert!(carried.is_ok());
        let error = brought.unwrap_err();
        assert_eq!((error.kind, error.retryable), (ErrorKind::InvalidConfig, false), "{error}");
    }
}
