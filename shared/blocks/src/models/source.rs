//! Which model a model block runs, and where that comes from.

use schemars::JsonSchema;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};

/// Bytes of a model's id, as of the addresses that models are registered at: long enough for one that is signed. The index of jobs
/// by their model takes little more.
const MOST_BYTES: usize = 2_048;

/// Where a model comes from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ModelSource {
    /// The model repository, as it was shipped or added by the operator.
    #[default]
    Pretrained,
    /// The model repository, as trained by the user.
    Trained,
    /// An address; `model_id` is the URL.
    Url,
}

impl ModelSource {
    /// The name on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pretrained => "pretrained",
            Self::Trained => "trained",
            Self::Url => "url",
        }
    }
}

/// Reads a model's id: the schema counts characters, and here their bytes are.
pub(crate) fn model_id<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    let id = String::deserialize(from)?;
    if id.len() > MOST_BYTES {
        return Err(D::Error::custom(format!("`model_id` has more than {MOST_BYTES} bytes")));
    }
    Ok(id)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{catalogue, settings};

    #[test]
    fn the_id_of_every_block_with_a_model_may_be_a_long_address_and_no_longer() {
        let address = |path: String| format!("https://models.example/{path}");
        let rest = MOST_BYTES - address(String::new()).len();
        let with_model =
            catalogue().iter().filter(|block| block.config["properties"].get("model_id").is_some());
        let blocks: Vec<_> = with_model.collect();
        assert_eq!(blocks.len(), 5);
        for block in blocks {
            let taken = |id: String| {
                let config = json!({"model_id": id, "model_source": "url"});
                settings::check(&block.versioned(), config.as_object().unwrap(), ["image"])
            };
            assert_eq!(taken(address("x".repeat(rest))), Ok(()));
            let refused = taken(address("x".repeat(rest + 1))).unwrap_err();
            assert_eq!(refused.pointer.as_deref(), Some("/config/model_id"), "{refused}");
            let refused = taken(address("模".repeat(rest / 2))).unwrap_err();
            assert!(refused.message.contains("more than 2048 bytes"), "{refused}");
        }
    }
}
