//! Where a model block's model comes from.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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
