//! Everything a model says about itself: what a family decides on.

use std::collections::BTreeMap;
use std::path::PathBuf;

use millrace_contracts::ModelId;
use serde_json::{Map, Value};

use crate::graph::GraphPort;
use crate::{InferenceError, Overrides, folder, literal};

/// What is known of a model once its graph is open.
#[derive(Debug, Clone, PartialEq)]
pub struct Facts {
    /// Its name in the repository.
    pub id: ModelId,
    /// Its folder.
    pub folder: PathBuf,
    /// The graph's own metadata (ONNX `metadata_props`).
    pub metadata: BTreeMap<String, String>,
    /// What goes into the graph.
    pub inputs: Vec<GraphPort>,
    /// What comes out.
    pub outputs: Vec<GraphPort>,
    /// The model's further graphs.
    pub companions: Vec<Companion>,
    /// Its `config.json`; empty when there is none.
    pub config: Map<String, Value>,
    /// What its image processor is made with, with the owner's overrides in it; none when there is neither.
    pub preprocessor: Option<Map<String, Value>>,
    /// What its owner says about it.
    pub overrides: Overrides,
}

/// What a graph is in its model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// The graph itself; of a model with two towers the one for pictures.
    Main,
    /// The tower for texts, where it is a graph of its own.
    Text,
}

/// A further graph of a model.
#[derive(Debug, Clone, PartialEq)]
pub struct Companion {
    /// What it is in the model.
    pub part: Part,
    /// What goes into it.
    pub inputs: Vec<GraphPort>,
    /// What comes out.
    pub outputs: Vec<GraphPort>,
}

impl Facts {
    /// Reads the files beside the graph that families decide on.
    ///
    /// # Errors
    /// [`InferenceError::Load`] when one of them cannot be read.
    pub(crate) fn with_files(mut self) -> Result<Self, InferenceError> {
        self.overrides = Overrides::read(&self.id, &self.folder)?;
        self.config = folder::json_of(&self.id, &self.folder, "config.json")?.unwrap_or_default();
        self.preprocessor = self.image_processor()?;
        if !self.overrides.preprocess.is_empty() {
            self.preprocessor.get_or_insert_default().extend(self.overrides.preprocess.clone());
        }
        Ok(self)
    }

    /// What its files say of its image processor. `transformers` from version 5 on writes that of a model for pictures and texts
    /// into `processor_config.json`, and believes it before `preprocessor_config.json`, which may be left from before.
    fn image_processor(&self) -> Result<Option<Map<String, Value>>, InferenceError> {
        let processor = folder::json_of(&self.id, &self.folder, "processor_config.json")?;
        match processor.and_then(|mut fields| fields.remove("image_processor")) {
            Some(Value::Object(fields)) => Ok(Some(fields)),
            _ => folder::json_of(&self.id, &self.folder, "preprocessor_config.json"),
        }
    }

    /// The architectures its `config.json` names, such as `DetrForObjectDetection`.
    pub fn architectures(&self) -> impl Iterator<Item = &str> {
        self.config
            .get("architectures")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
    }

    /// The `model_type` of its `config.json`; empty when it has none.
    #[must_use]
    pub fn model_type(&self) -> &str {
        self.config.get("model_type").and_then(Value::as_str).unwrap_or_default()
    }

    /// The input port of this name.
    #[must_use]
    pub fn input(&self, name: &str) -> Option<&GraphPort> {
        self.inputs.iter().find(|port| port.name == name)
    }

    /// The place of the output of this name.
    ///
    /// # Errors
    /// [`InferenceError::Unsupported`] when the graph has none.
    pub fn output(&self, name: &str) -> Result<usize, InferenceError> {
        self.outputs.iter().position(|port| port.name == name).ok_or_else(|| {
            let have: Vec<&str> = self.outputs.iter().map(|port| port.name.as_str()).collect();
            self.unsupported(format!("its graph has no output {name:?}, only {}", have.join(", ")))
        })
    }

    /// The metadata entry `key`, as text.
    #[must_use]
    pub fn text(&self, key: &str) -> Option<&str> {
        self.metadata.get(key).map(|text| text.trim())
    }

    /// The metadata entry `key`, read as a Python literal: exporters write `str(value)`.
    ///
    /// # Errors
    /// [`InferenceError::Load`] when there is an entry and it is no literal.
    pub fn literal(&self, key: &str) -> Result<Option<Value>, InferenceError> {
        self.text(key)
            .map(|text| {
                literal::parse(text).map_err(|error| InferenceError::Load {
                    id: self.id.clone(),
                    detail: format!("its metadata entry {key:?} cannot be read: {error}"),
                })
            })
            .transpose()
    }

    /// Whether the flag `key` is set (`True`, `true`, `1`).
    #[must_use]
    pub fn flag(&self, key: &str) -> bool {
        self.text(key).is_some_and(|text| matches!(text, "True" | "true" | "1"))
    }

    /// An error that says why this model is not supported.
    #[must_use]
    pub fn unsupported(&self, detail: impl Into<String>) -> InferenceError {
        InferenceError::Unsupported { id: self.id.clone(), detail: detail.into() }
    }
}
