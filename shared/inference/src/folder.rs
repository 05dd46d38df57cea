//! The files of a model's folder besides its graphs, and the JSON ones of Hugging Face among them, which lie beside the
//! graph or one level above it.

use std::path::{Path, PathBuf};

use millrace_contracts::ModelId;
use serde_json::{Map, Value};

use crate::InferenceError;

/// Files beside a graph that families read, or that say how the model is run; each may be missing.
pub const BESIDE: [&str; 7] = [
    "config.json",
    "export.json",
    "preprocessor_config.json",
    "processor_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "millrace.toml",
];
/// The largest file that is read: labels of tens of thousands of classes take two megabytes.
const MOST_BYTES: u64 = 16 * 1024 * 1024;

/// Where the file `name` of a model is; none when there is none.
pub(crate) fn place_of(folder: &Path, name: &str) -> Option<PathBuf> {
    [folder.join(name), folder.join("onnx").join(name)].into_iter().find(|path| path.is_file())
}

/// The object in `name`; none when there is no such file.
///
/// # Errors
/// [`InferenceError::Load`] for a file that is no JSON object, or too large.
pub(crate) fn json_of(
    id: &ModelId,
    folder: &Path,
    name: &str,
) -> Result<Option<Map<String, Value>>, InferenceError> {
    let fault =
        |detail: String| InferenceError::Load { id: id.clone(), detail: format!("its {name}: {detail}") };
    let Some(path) = place_of(folder, name) else { return Ok(None) };
    let bytes = std::fs::metadata(&path).map_err(|error| fault(error.to_string()))?.len();
    if bytes > MOST_BYTES {
        return Err(fault(format!("{bytes} bytes, the limit is {MOST_BYTES}")));
    }
    let text = std::fs::read(path).map_err(|error| fault(error.to_string()))?;
    let read =
        serde_json::from_slice(&text).map_err(|error| fault(format!("it is no JSON object: {error}")))?;
    Ok(Some(read))
}
