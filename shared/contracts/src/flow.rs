//! What takes turns: a flow. All runs of one saved workflow are one flow, and so are all runs of one unsaved definition;
//! within a priority, flows are served in turn, each as often as its weight says.

use serde::{Deserialize, Serialize};

use crate::message::Accepted;

/// The largest weight of a flow.
pub const MAX_WEIGHT: u8 = 16;

/// A flow: who, and how many turns it gets where others get one.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Flow {
    /// The workflow's id, or the digest of an unsaved definition.
    pub id: String,
    /// Turns per round, 1 to [`MAX_WEIGHT`].
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub weight: u8,
}

impl Flow {
    /// The flow that `accepted` belongs to.
    #[must_use]
    pub fn of(accepted: &Accepted) -> Self {
        let id = accepted
            .workflow_id
            .map_or_else(|| accepted.definition.to_string(), |workflow| workflow.to_string());
        Self { id, weight: accepted.weight.clamp(1, MAX_WEIGHT) }
    }
}

/// The flow of a job that was queued before flows were known.
impl Default for Flow {
    fn default() -> Self {
        Self { id: "-".to_owned(), weight: one() }
    }
}

pub(crate) fn one() -> u8 {
    1
}

pub(crate) fn is_one(weight: &u8) -> bool {
    *weight == 1
}
