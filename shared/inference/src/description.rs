//! What a model is, found out from its files without a session: for those who list models that nobody has loaded.

use std::path::Path;

use millrace_contracts::ModelId;
use millrace_contracts::model::ModelDescription;
use millrace_onnx::{Skimmed, skim};

use crate::blank::input_size;
use crate::families::family_of;
use crate::{Companion, Embedder, Facts, GraphPort, InferenceError, Overrides, Repository};

impl Repository {
    /// What the files of a model say that it is. Its weights are not read, and ONNX Runtime is not needed; a model that is
    /// described may still fail to load. Reads files: not for the async runtime.
    ///
    /// # Errors
    /// As [`Repository::find`]; [`InferenceError::Load`] when a file cannot be read, [`InferenceError::Unsupported`] when no
    /// family knows the model.
    pub fn describe(&self, id: &ModelId) -> Result<ModelDescription, InferenceError> {
        let files = self.find(id)?;
        let file_bytes = files.bytes;
        let read = |graph: &Path| {
            skim(graph)
                .map_err(|error| InferenceError::Load { id: id.clone(), detail: error.to_string() })
                .map(|Skimmed { metadata, inputs, outputs, .. }| (metadata, ports(inputs), ports(outputs)))
        };
        let (metadata, inputs, outputs) = read(&files.graph)?;
        let mut companions = Vec::with_capacity(files.companions.len());
        for (part, graph) in &files.companions {
            let (_, inputs, outputs) = read(graph)?;
            companions.push(Companion { part: *part, inputs, outputs });
        }
        let facts = Facts {
            id: id.clone(),
            folder: files.folder,
            metadata,
            inputs,
            outputs,
            companions,
            config: serde_json::Map::new(),
            preprocessor: None,
            overrides: Overrides::default(),
        };
        let family = family_of(&facts.with_files()?)?;
        Ok(ModelDescription {
            id: id.clone(),
            family: family.name().to_owned(),
            task: family.task().to_owned(),
            labels: family.labels().to_vec(),
            embedding_dimension: family.embedder().and_then(Embedder::dimension),
            input_size: input_size(family.as_ref()),
            file_bytes: Some(file_bytes),
            digest: None,
        })
    }
}

fn ports(ports: Vec<millrace_onnx::Port>) -> Vec<GraphPort> {
    ports.into_iter().map(GraphPort::from).collect()
}
