//! A registered model: its checkpoint and files, from addresses or the blob store, and what its registration says of it.

use std::path::Path;

use millrace_blobs::{Blobs, BlobsError};
use millrace_contracts::model::{Origin, RegisteredModel};
use millrace_contracts::{ErrorKind, JobError};
use millrace_inference::{GRAPHS, Overrides};
use serde_json::{Value, json};

use super::web::{weights_of, without_weights};
use super::{Brought, Downloads, WHOLE, is_whole, not_fetched, of_fetch, write};

impl Downloads {
    /// The folder of a registered model, whole. Each registration has one of its own.
    pub(crate) async fn registered(
        &self,
        model: &RegisteredModel,
        blobs: &Blobs,
    ) -> Result<Brought, JobError> {
        let folder = self.shelf.hold(&json!(model).to_string()).map_err(|error| of_fetch(&error.into()))?;
        if is_whole(&folder) {
            return Ok(Brought { folder, now: false });
        }
        let fetched = self.fetch_registered(model, &folder, blobs).await;
        self.shelf.tidy_up(&folder).await;
        fetched?;
        write(&folder.join(WHOLE), b"").await?;
        Ok(Brought { folder, now: true })
    }

    async fn fetch_registered(
        &self,
        model: &RegisteredModel,
        folder: &Path,
        blobs: &Blobs,
    ) -> Result<(), JobError> {
        write(&folder.join(Overrides::FILE), overrides(model)?.as_bytes()).await?;
        for (name, origin) in &model.files {
            self.bring(origin, &folder.join(name), (None, blobs)).await?;
        }
        let graph = folder.join(GRAPHS[0]);
        self.bring(&model.checkpoint, &graph, (model.sha256.clone(), blobs)).await?;
        // What is registered among the files is there by now.
        let mut missing = weights_of(&graph).await?.into_iter().filter(|name| !folder.join(name).is_file());
        match (missing.next(), &model.checkpoint) {
            (None, _) => Ok(()),
            (Some(_), Origin::Url(url)) => self.weights(url, &graph, &mut self.beyond([graph.clone()])).await,
            (Some(name), Origin::Blob(_)) => Err(without_weights(&name)),
        }
    }

    async fn bring(
        &self,
        origin: &Origin,
        file: &Path,
        (sha256, blobs): (Option<String>, &Blobs),
    ) -> Result<(), JobError> {
        match origin {
            Origin::Url(url) => self.file(url, file, sha256).await.map_err(|error| of_fetch(&error)),
            // Its name is its digest: nothing else can come.
            Origin::Blob(id) => {
                let bytes = blobs.get_once(*id).await.map_err(|error| of_blob(&error))?;
                write(file, &bytes).await
            }
        }
    }
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
