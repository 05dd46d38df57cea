//! What a key may do.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What a key may do; each includes those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Scope {
    /// Look.
    Read,
    /// Submit runs, save workflows.
    Run,
    /// Everything: keys, workers, models.
    Admin,
}

impl Scope {
    /// The scope of this name.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        [Self::Read, Self::Run, Self::Admin].into_iter().find(|scope| scope.as_str() == text)
    }

    /// Its name, as it is stored and described.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Run => "run",
            Self::Admin => "admin",
        }
    }
}
