//! A registered model: its checkpoint and files, from addresses or the blob store, and what its registration says of it. Rule: what
//! was registered anew lies in a folder of its own; who runs what was registered before is not disturbed.

mod stored;

use std::path::{Path, PathBuf};

use millrace_blobs::{Blobs, BlobsError};
use millrace_contracts::model::{Origin, RegisteredModel};
use millrace_contracts::{BlobId, ErrorKind, JobError};
use millrace_fetch::{Expected, Wanted, keep};
use millrace_inference::{GRAPHS, Overrides};
use serde_json::{Value, json};

use self::stored::Stored;
use super::web::{weights_of, without_weights};
use super::{Brought, Downloads, WHOLE, is_whole, not_fetched, of_fetch, write};

/// Where files of a registration are brought to, and from.
struct Place<'a> {
    folder: &'a Path,
    /// Where they came to when it was registered before.
    before: Option<&'a Path>,
    blobs: &'a Blobs,
}

impl Downloads {
    /// The folder of a registered model, whole. Each registration has one of its own; of what the one before brought, what its hosts
    /// still have is taken.
    pub(crate) async fn registered(
        &self,
        model: &RegisteredModel,
        blobs: &Blobs,
    ) -> Result<Brought, JobError> {
        // What its task says is as good as said.
        let model = &RegisteredModel { family: model.run_as().map(str::to_owned), ..model.clone() };
        let folder = self.shelf.hold(&json!(model).to_string()).map_err(|error| of_fetch(&error.into()))?;
        if is_whole(&folder) {
            return Ok(Brought { folder, now: false });
        }
        let (this, model, blobs, of) = (self.clone(), model.clone(), blobs.clone(), folder.clone());
        self.errands.once(&folder, || async move { this.bring_registered(&model, &blobs, of).await }).await
    }

    async fn bring_registered(
        &self,
        model: &RegisteredModel,
        blobs: &Blobs,
        folder: PathBuf,
    ) -> Result<Brought, JobError> {
        if is_whole(&folder) {
            return Ok(Brought { folder, now: false });
        }
        // Whenever it is registered.
        let always = json!(RegisteredModel { registered_at: None, ..model.clone() }).to_string();
        let before = model.registered_at.and_then(|_| self.shelf.latest(&always));
        let place = Place { folder: &folder, before: before.as_deref(), blobs };
        let fetched = self.fetch_registered(model, &place).await;
        self.shelf.tidy_up(&folder).await;
        fetched?;
        write(&folder.join(WHOLE), b"").await?;
        if model.registered_at.is_some() {
            write(&self.shelf.latest_of(&always), name_of(&folder).as_bytes()).await?;
        }
        Ok(Brought { folder, now: true })
    }

    async fn fetch_registered(&self, model: &RegisteredModel, place: &Place<'_>) -> Result<(), JobError> {
        let folder = place.folder;
        write(&folder.join(Overrides::FILE), overrides(model)?.as_bytes()).await?;
        for (name, origin) in &model.files {
            self.bring(origin, name, None, place).await?;
        }
        let graph = folder.join(GRAPHS[0]);
        self.bring(&model.checkpoint, GRAPHS[0], model.sha256.clone(), place).await?;
        // What is registered among the files is there by now.
        let mut missing = weights_of(&graph).await?.into_iter().filter(|name| !folder.join(name).is_file());
        match (missing.next(), &model.checkpoint) {
            (None, _) => Ok(()),
            (Some(_), Origin::Url(url)) => {
                self.weights(url, &graph, &mut self.beyond([graph.clone()]), place.before).await
            }
            (Some(name), Origin::Blob(_)) => Err(without_weights(&name)),
        }
    }

    async fn bring(
        &self,
        origin: &Origin,
        name: &str,
        sha256: Option<String>,
        place: &Place<'_>,
    ) -> Result<(), JobError> {
        let file = place.folder.join(name);
        match origin {
            Origin::Url(url) => {
                let before = place.before.map(|folder| folder.join(name));
                let wanted = Wanted { url: url.clone(), sha256, max_bytes: self.max_bytes };
                self.wanted(&wanted, &file, before.as_deref()).await.map_err(|error| of_fetch(&error))
            }
            Origin::Blob(id) => self.stored(*id, &file, place.blobs).await,
        }
    }

    /// Brings a file of the blob store: whole, as its name is its digest, and never in memory whole.
    async fn stored(&self, id: BlobId, file: &Path, blobs: &Blobs) -> Result<(), JobError> {
        let found = blobs.head(id).await.and_then(|bytes| bytes.ok_or(BlobsError::NotFound(id)));
        let bytes = found.map_err(|error| of_blob(&error))?;
        let expected = Expected {
            sha256: Some(id.to_string()),
            bytes: Some(bytes),
            max_bytes: self.max_bytes,
            retries: self.retries,
        };
        let done = keep(&Stored { blobs, id, bytes }, &expected, file).await;
        let done = done.map_err(|error| of_fetch(&error))?;
        tracing::info!(file = %file.display(), bytes = done.bytes, sha256 = done.sha256, cached = done.cached, "model file came from the blob store");
        Ok(())
    }
}

/// What a folder of the downloads is called.
fn name_of(folder: &Path) -> String {
    folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// What a registration says of the model, as its owner would write it beside the files.
fn overrides(model: &RegisteredModel) -> Result<String, JobError> {
    let mut said = serde_json::Map::new();
    if let Some(family) = &model.family {
        said.insert("family".to_owned(), json!(family));
    }
    if !model.labels.is_empty() {
        said.insert("labels".to_owned(), json!(model.labels));
    }
    said.insert("preprocess".to_owned(), Value::Object(model.preprocess.clone()));
    if let Some(image) = &model.image {
        said.insert("image".to_owned(), json!(image));
    }
    toml::to_string(&said).map_err(|error| {
        let message = format!("what is registered of the model {} cannot be written down: {error}", model.id);
        JobError::new(ErrorKind::ModelLoadError, message).at("/config/model_id")
    })
}

/// A fault of the blob store with a file of a model: the job's input has no part in it.
fn of_blob(error: &BlobsError) -> JobError {
    let kind = match error {
        BlobsError::NotFound(_) => ErrorKind::ModelNotFound,
        error if error.is_retryable() => ErrorKind::Network,
        _ => ErrorKind::ModelLoadError,
    };
    not_fetched(kind, error)
}
