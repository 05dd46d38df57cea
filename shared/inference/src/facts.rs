//! Everything a model says about itself: what a family decides on.

use std::collections::BTreeMap;
use std::path::PathBuf;

use millrace_contracts::ModelId;
use serde_json::Value;

use crate::graph::GraphPort;
use crate::{InferenceError, literal};

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

    /// Where among the outputs of its graph the one of this name is.
    ///
    /// # Errors
    /// [`InferenceError::Unsupported`] when there is none.
    pub fn output(&self, name: &str) -> Result<usize, InferenceError> {
        self.outputs.iter().position(|port| port.name == name).ok_or_else(|| {
            let have: Vec<&str> = self.outputs.iter().map(|port| port.name.as_str()).collect();
            self.unsupported(format!("it has no output {name:?}, only {}", have.join(", ")))
        })
    }

    /// An error that says why this model is not supported.
    #[must_use]
    pub fn unsupported(&self, detail: impl Into<String>) -> InferenceError {
        InferenceError::Unsupported { id: self.id.clone(), detail: detail.into() }
    }
}
