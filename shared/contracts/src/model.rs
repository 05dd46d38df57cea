//! Models between the api and the workers: what the api writes down of a model that is not in a folder of the workers', what a
//! worker needs to have it, what workers say of those that are, and what they are asked to do with models.

mod image;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use self::image::{Channels, ImageInput, Layout};
use crate::job::ModelRef;
use crate::{BlobId, ErrorKind, ModelDigest, ModelId, Pool, UnixMillis};

/// Of a model's name.
const MOST_CHARACTERS: usize = 200;
const MOST_FOLDERS: usize = 4;
/// The task of models that take and give plain tensors, and their family.
const TENSORS: &str = "tensor";
const PLAIN: &str = "raw";
/// What the address of a blob begins with.
const BLOB: &str = "blob:";

/// The files beside a checkpoint that may be registered with it, besides those of its weights ([`is_weights`]).
pub const FILES: [&str; 6] = [
    "config.json",
    "export.json",
    "preprocessor_config.json",
    "processor_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
];

/// What a worker needs to have a registered model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RegisteredModel {
    /// Its name.
    pub id: ModelId,
    /// `trained` or `url`.
    pub source: String,
    /// What it is made for, such as `detection`.
    pub task: String,
    /// Its family, where the model does not say it itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub family: Option<String>,
    /// Names of its classes by index; empty where the model names them itself.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<String>,
    /// The ONNX file.
    pub checkpoint: Origin,
    /// What its SHA-256 must be, lower-case hex.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// Files beside it, by name; see [`is_model_file`].
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub files: BTreeMap<String, Origin>,
    /// Keys of `preprocessor_config.json`; each replaces the file's.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub preprocess: Map<String, Value>,
    /// How a picture becomes a tensor, of one that is run as plain tensors.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<ImageInput>,
    /// When it was registered, of one with a file at an address, where something else may be by now: each registration asks anew.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registered_at: Option<UnixMillis>,
}

impl RegisteredModel {
    /// The family it is to be run as: the one that is registered, and plain tensors where that is its task; none where it is found
    /// out.
    #[must_use]
    pub fn run_as(&self) -> Option<&str> {
        self.family.as_deref().or_else(|| (self.task == TENSORS).then_some(PLAIN))
    }

    /// Whether one of its files is at an address: what is there may change. A blob is what it is.
    #[must_use]
    pub fn has_addresses(&self) -> bool {
        let is_url = |origin: &Origin| matches!(origin, Origin::Url(_));
        is_url(&self.checkpoint) || self.files.values().any(is_url)
    }
}

/// Where a file is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Origin {
    /// At an address, `http://…` or `https://…`.
    Url(String),
    /// In the blob store, `blob:<sha256>`.
    Blob(BlobId),
}

impl TryFrom<String> for Origin {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if let Some(id) = text.strip_prefix(BLOB) {
            return id.parse().map(Self::Blob).map_err(|_| format!("{id:?} is no blob's id"));
        }
        if is_address(&text) {
            Ok(Self::Url(text))
        } else {
            Err("an address begins with https://, http:// or blob:".to_owned())
        }
    }
}

impl From<Origin> for String {
    fn from(origin: Origin) -> Self {
        match origin {
            Origin::Url(url) => url,
            Origin::Blob(id) => format!("{BLOB}{id}"),
        }
    }
}

/// What the files of a model say that it is: of one in a repository, and of a copy that is loaded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelDescription {
    /// Its name.
    pub id: ModelId,
    /// Its family.
    pub family: String,
    /// What it is made for, such as `detection`.
    pub task: String,
    /// Names of its classes by index; empty where it has none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<String>,
    /// How many numbers its vectors have; none of one that gives none, or does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub embedding_dimension: Option<u32>,
    /// Width and height of the pictures that its graph is given, pixels; none where that depends on the picture, and of a model
    /// that takes none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_size: Option<[u32; 2]>,
    /// Size of its ONNX files and of their weights, bytes; none from a worker of an older version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file_bytes: Option<u64>,
    /// Which copy it is, of one that was loaded: finding out takes reading every byte.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<ModelDigest>,
}

/// Why a worker does not have a model that it was to load, as it says with its signs of life.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoadFailure {
    /// The model.
    pub model_id: ModelId,
    /// The kind of the failure.
    pub kind: ErrorKind,
    /// What happened, for people.
    pub message: String,
    /// When, by the worker's clock.
    pub at: UnixMillis,
}

/// What workers are asked to do with a model. Said once, on a channel: a hint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "wish", rename_all = "snake_case")]
pub enum ModelWish {
    /// Those of a pool are to load it.
    Load {
        /// The model.
        model: ModelRef,
        /// The pool.
        pool: Pool,
    },
    /// Runs under way will need it. One of the pool's workers that has room for it beside what it has may load it ahead.
    Expect {
        /// The model.
        model: ModelId,
        /// The pool.
        pool: Pool,
    },
    /// Whoever has it is to give it up: what was registered under this name changed, or is gone.
    Forget {
        /// Its name.
        id: ModelId,
    },
}

/// Whether `text` may name a model: a plain name or a plain relative path of a few folders, nothing that a shell or a file
/// system treats specially.
#[must_use]
pub fn is_model_name(text: &str) -> bool {
    let plain = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
            && part.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'))
    };
    text.len() <= MOST_CHARACTERS && text.split('/').count() <= MOST_FOLDERS && text.split('/').all(plain)
}

/// Whether `text` is an address on the web: so begins the id of a model that is named by where it is.
#[must_use]
pub fn is_address(text: &str) -> bool {
    ["http://", "https://"].iter().any(|scheme| text.starts_with(scheme))
}

/// Whether a file holds weights of the graphs beside it: `*.onnx_data`, `*.data`, and further ones of a set, such as
/// `model.onnx_data_1`.
#[must_use]
pub fn is_weights(name: &str) -> bool {
    let Some((_, extension)) = name.rsplit_once('.') else { return false };
    let further = extension.strip_prefix("onnx_data_");
    matches!(extension, "onnx_data" | "data")
        || further.is_some_and(|number| !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()))
}

/// Whether a file of this name may be registered beside a checkpoint.
#[must_use]
pub fn is_model_file(name: &str) -> bool {
    FILES.contains(&name) || (is_weights(name) && is_model_name(name) && !name.contains('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_read_as_they_are_written() {
        let blob = format!("{BLOB}{}", BlobId::of(b"x"));
        for text in [blob.as_str(), "https://models.example/best.onnx"] {
            let origin = Origin::try_from(text.to_owned()).unwrap();
            assert_eq!(String::from(origin), text);
        }
        for odd in ["", "blob:12", "ftp://x", "models/best.onnx", "file:///etc/passwd"] {
            assert!(Origin::try_from(odd.to_owned()).is_err(), "{odd}");
        }
    }

    #[test]
    fn only_plain_names_name_models() {
        assert!(["a", "acme/parts-v3", "_x/1.0"].iter().all(|name| is_model_name(name)));
        let long = "a".repeat(MOST_CHARACTERS + 1);
        for odd in ["", "/etc", "../x", "a//b", ".hidden", "a b", "a/b/c/d/e", "ü", &long] {
            assert!(!is_model_name(odd), "{odd}");
        }
    }

    #[test]
    fn weights_and_settings_are_files_of_models_and_nothing_else_is() {
        for name in ["config.json", "model.onnx_data", "model.onnx.data", "model.onnx_data_12", "w.data"] {
            assert!(is_model_file(name), "{name}");
        }
        for odd in
            ["model.onnx", "x/model.onnx_data", "../x.data", ".data", "a b.data", "model.onnx_data_", "x.bin"]
        {
            assert!(!is_model_file(odd), "{odd}");
        }
    }
}
