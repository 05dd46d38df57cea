//! A model repository in an object store: what lies there, and its files as sources to download from. Rule: a job of a model that
//! was seen there does not wait for the store, however far away that is; whoever looks through it does.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt, TryStreamExt};
use millrace_config::{BucketUrl, Objects};
use millrace_contracts::ModelId;
use millrace_fetch::{FetchError, Opened, Source};
use millrace_inference::models_among;
use millrace_objects::ObjectsError;
use object_store::path::Path;
use object_store::{GetOptions, GetRange, ObjectMeta, ObjectStore};
use serde::Serialize;

/// Objects that a repository may have; those beyond are not seen.
const MOST_OBJECTS: usize = 20_000;

/// The repository. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Bucket {
    store: Arc<dyn ObjectStore>,
    address: Arc<str>,
    /// What was there when it was last looked through.
    seen: Arc<Mutex<BTreeMap<ModelId, Arc<Copy>>>>,
}

/// A model as it lies in the bucket: its files by their paths in its folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Copy(BTreeMap<String, Object>);

/// A file there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Object {
    pub(super) bytes: u64,
    /// What names these very bytes: the store's tag, else the time they were stored.
    tag: String,
    /// Whether the store knows the tag as such.
    is_etag: bool,
}

impl Bucket {
    pub(crate) fn open(url: &BucketUrl, objects: &Objects) -> Result<Self, ObjectsError> {
        let store = millrace_objects::open(url, objects)?;
        Ok(Self { store, address: url.to_string().into(), seen: Arc::default() })
    }

    /// The models there are now.
    ///
    /// # Errors
    /// The store is away, or refuses.
    pub(crate) async fn look(&self) -> Result<Vec<ModelId>, ObjectsError> {
        let objects = self.list(None).await?;
        let paths: BTreeSet<String> = objects.keys().cloned().collect();
        let mut seen = BTreeMap::new();
        for id in models_among(&paths) {
            let folder = format!("{id}/");
            let files = objects.range(folder.clone()..).take_while(|(path, _)| path.starts_with(&folder));
            let files = files.map(|(path, object)| (path[folder.len()..].to_owned(), object.clone()));
            seen.insert(id, Arc::new(Copy(files.collect())));
        }
        let ids = seen.keys().cloned().collect();
        *self.seen() = seen;
        Ok(ids)
    }

    /// A model as it was when the repository was last looked through, or as it is now if it was not there then; none if there
    /// is none.
    pub(super) async fn copy(&self, id: &ModelId) -> Result<Option<Arc<Copy>>, ObjectsError> {
        let seen = self.seen().get(id).cloned();
        if seen.is_some() {
            return Ok(seen);
        }
        let objects = self.list(Some(&Path::from(id.as_str()))).await?;
        let folder = id.as_str().len() + 1;
        let files = objects.into_iter().map(|(path, object)| (path[folder..].to_owned(), object));
        let copy = Arc::new(Copy(files.collect()));
        if copy.0.is_empty() {
            return Ok(None);
        }
        self.seen().insert(id.clone(), Arc::clone(&copy));
        Ok(Some(copy))
    }

    /// Forgets what was seen of a model, which turned out to be something else.
    pub(super) fn forget(&self, id: &ModelId) {
        self.seen().remove(id);
    }

    /// A file of a model, to download.
    pub(super) fn source<'a>(&'a self, id: &ModelId, name: &str, object: &'a Object) -> Place<'a> {
        Place { bucket: self, path: Path::from(format!("{id}/{name}")), object }
    }

    /// What a copy of a model is called on the disk: another name for other bytes.
    pub(super) fn name(&self, id: &ModelId, copy: &Copy) -> String {
        serde_json::json!([&*self.address, id, copy]).to_string()
    }

    async fn list(&self, prefix: Option<&Path>) -> Result<BTreeMap<String, Object>, ObjectsError> {
        let listed = self.store.list(prefix).take(MOST_OBJECTS);
        let object = |meta: ObjectMeta| {
            let is_etag = meta.e_tag.is_some();
            let tag = meta.e_tag.unwrap_or_else(|| meta.last_modified.to_rfc3339());
            (meta.location.to_string(), Object { bytes: meta.size, tag, is_etag })
        };
        let objects = listed.map_ok(object).try_collect().await;
        objects.map_err(|error| ObjectsError::of(&self.address, &error))
    }

    fn seen(&self) -> MutexGuard<'_, BTreeMap<ModelId, Arc<Copy>>> {
        // Replaced whole, or by one entry: nothing can be left half changed.
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Copy {
    /// The paths of its files.
    pub(super) fn names(&self) -> BTreeSet<String> {
        self.0.keys().cloned().collect()
    }

    /// The file at a path of it.
    pub(super) fn object(&self, name: &str) -> Option<&Object> {
        self.0.get(name)
    }
}

/// An object, as a source of bytes.
pub(super) struct Place<'a> {
    bucket: &'a Bucket,
    path: Path,
    object: &'a Object,
}

impl Place<'_> {
    /// It is not what it was when it was seen: whoever looks again finds out what it is now.
    fn changed(&self, how: &str) -> FetchError {
        let detail = format!("{}/{} {how} since it was listed; try again", self.bucket.address, self.path);
        FetchError::Store { detail, passing: true }
    }

    async fn get(&self, have: Option<(u64, String)>) -> Result<Opened, FetchError> {
        let from = have.filter(|(bytes, tag)| *tag == self.object.tag && *bytes < self.object.bytes);
        let asked = GetOptions {
            if_match: self.object.is_etag.then(|| self.object.tag.clone()),
            range: from.as_ref().map(|(bytes, _)| GetRange::Offset(*bytes)),
            ..GetOptions::default()
        };
        let found = match self.bucket.store.get_opts(&self.path, asked).await {
            Ok(found) => found,
            Err(object_store::Error::NotFound { .. }) => return Err(self.changed("is gone")),
            Err(object_store::Error::Precondition { .. }) => return Err(self.changed("has changed")),
            Err(error) => return Err(of_store(&ObjectsError::of(&self.bucket.address, &error))),
        };
        if found.meta.size != self.object.bytes {
            return Err(self.changed("has changed"));
        }
        let address = Arc::clone(&self.bucket.address);
        let lost = move |error| of_store(&ObjectsError::of(&address, &error));
        Ok(Opened {
            resumed: from.is_some(),
            tag: Some(self.object.tag.clone()),
            bytes: Some(found.range.end - found.range.start),
            stamp: None,
            chunks: found.into_stream().map(move |chunk| chunk.map_err(&lost)).boxed(),
        })
    }
}

impl Source for Place<'_> {
    fn open(&self, have: Option<(u64, String)>) -> BoxFuture<'_, Result<Opened, FetchError>> {
        self.get(have).boxed()
    }
}

/// A store's failure as one of fetching.
pub(super) fn of_store(error: &ObjectsError) -> FetchError {
    FetchError::Store { detail: error.to_string(), passing: error.is_passing() }
}
