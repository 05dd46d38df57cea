//! `millrace.toml` in a model's folder: what its owner says about it where its files say nothing, or something else. Other
//! tables of the file are others' business.
//!
//! ```toml
//! family = "transformers-classify"  # a family's name, where the model does not say it itself
//! graph = "onnx/model_quantized.onnx"
//! labels = ["cat", "dog"]
//! [preprocess]                      # keys of preprocessor_config.json; each replaces the file's
//! image_processor_type = "ViTImageProcessor"
//! ```

use std::path::{Component, Path};

use millrace_contracts::ModelId;
use millrace_contracts::model::ImageInput;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::InferenceError;

/// A larger one is no settings file.
const MOST_BYTES: u64 = 1 << 20;
/// Sides of pictures that a graph may be given, pixels.
pub(crate) const MOST_SIDE: u32 = ImageInput::MOST_SIDE;

/// What the operator says of a model, over what it says of itself.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
pub struct Overrides {
    /// The family it belongs to, by name; found out when absent.
    #[serde(default)]
    pub family: Option<String>,
    /// The graph's file, relative to the folder.
    #[serde(default)]
    pub graph: Option<String>,
    /// Names of the classes by index.
    #[serde(default)]
    pub labels: Option<Vec<String>>,
    /// Keys of `preprocessor_config.json`.
    #[serde(default)]
    pub preprocess: Map<String, Value>,
    /// How a picture becomes a tensor, for the family `raw`.
    #[serde(default)]
    pub image: Option<ImageInput>,
}

impl Overrides {
    /// Its name in a model's folder.
    pub const FILE: &str = "millrace.toml";

    /// Reads the file in `folder`; nothing is said when there is none.
    ///
    /// # Errors
    /// [`InferenceError::Load`] when it cannot be read, or asks for what cannot be.
    pub fn read(id: &ModelId, folder: &Path) -> Result<Self, InferenceError> {
        let fault = |detail: String| InferenceError::Load {
            id: id.clone(),
            detail: format!("its {}: {detail}", Self::FILE),
        };
        let path = folder.join(Self::FILE);
        let Ok(metadata) = std::fs::metadata(&path) else { return Ok(Self::default()) };
        if metadata.len() > MOST_BYTES {
            return Err(fault(format!("{} bytes, {MOST_BYTES} are allowed", metadata.len())));
        }
        let text = std::fs::read_to_string(&path).map_err(|error| fault(error.to_string()))?;
        let read: Self = toml::from_str(&text).map_err(|error| fault(error.to_string()))?;
        let inside = |path: &&String| {
            Path::new(path.as_str()).components().all(|part| matches!(part, Component::Normal(_)))
        };
        if let Some(graph) = read.graph.as_ref().filter(|graph| !inside(graph)) {
            return Err(fault(format!("the graph {graph:?} is not inside the folder")));
        }
        match read.image.as_ref().and_then(ImageInput::fault) {
            Some(why) => Err(fault(format!("[image]: {why}"))),
            None => Ok(read),
        }
    }
}
