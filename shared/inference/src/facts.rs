//! Everything a model says about itself: what a family decides on.

use std::collections::BTreeMap;
use std::path::PathBuf;

use millrace_contracts::ModelId;
use serde_json::{Map, Value};

use crate::graph::GraphPort;
use crate::preprocess::timm_processor;
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
        if let Some(architecture) = self.exported_architecture() {
            self.config.insert("architectures".to_owned(), Value::from(vec![architecture]));
        }
        self.preprocessor = self.image_processor()?;
        if !self.overrides.preprocess.is_empty() {
            self.preprocessor.get_or_insert_default().extend(self.overrides.preprocess.clone());
        }
        Ok(self)
    }

    /// What was exported, as the exporter of `transformers` 5 writes it down. Its `config.json` is that of the model in memory: it
    /// names none if that was made anew, and the one it was taught from if that was given another head.
    fn exported_architecture(&self) -> Option<String> {
        // A file of this name may be anybody's, and in any form.
        let exported = folder::json_of(&self.id, &self.folder, "export.json").ok().flatten()?;
        let exported = Value::Object(exported);
        exported.pointer("/components/model/metadata/architecture")?.as_str().map(str::to_owned)
    }

    /// What its files say of its image processor. `transformers` from version 5 on writes that of a model for pictures and texts
    /// into `processor_config.json`, and believes it before `preprocessor_config.json`, which may be left from before. Models of timm
    /// have neither: their own is put together, unless the owner says which it is, and with that all that it does.
    fn image_processor(&self) -> Result<Option<Map<String, Value>>, InferenceError> {
        let processor = folder::json_of(&self.id, &self.folder, "processor_config.json")?;
        match processor.and_then(|mut fields| fields.remove("image_processor")) {
            Some(Value::Object(fields)) => Ok(Some(fields)),
            _ => Ok(folder::json_of(&self.id, &self.folder, "preprocessor_config.json")?
                .or_else(|| timm_processor(&self.config).filter(|_| !self.owner_names_processor()))),
        }
    }

    fn owner_names_processor(&self) -> bool {
        ["image_processor_type", "feature_extractor_type"]
            .iter()
            .any(|key| self.overrides.preprocess.contains_key(*key))
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

    /// The input that takes pictures: `pixel_values`, or the only one where it has four axes, whatever its exporter called it.
    #[must_use]
    pub fn pixels(&self) -> Option<&GraphPort> {
        let lone = || match self.inputs.as_slice() {
            [port] if port.shape.len() == 4 => Some(port),
            _ => None,
        };
        self.input("pixel_values").or_else(lone)
    }

    /// The place of the output of this name; of the only one where the owner says what the model is.
    ///
    /// # Errors
    /// [`InferenceError::Unsupported`] when the graph has none.
    pub fn output_or_only(&self, name: &str) -> Result<usize, InferenceError> {
        match self.output(name) {
            Err(_) if self.overrides.family.is_some() && self.outputs.len() == 1 => Ok(0),
            place => place,
        }
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
