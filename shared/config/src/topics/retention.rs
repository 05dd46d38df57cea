//! `[retention]`: how long things are kept.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// How long things are kept. The writer deletes, in small steps; what has not ended is never touched. 0s keeps for ever.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Retention {
    /// Runs with their node runs and jobs, from their end on; also what is recorded of workers, and dead letters.
    #[serde(with = "crate::span")]
    pub executions: Duration,
    /// Events of runs, in whole days; what they led to stays with the run.
    #[serde(with = "crate::span")]
    pub events: Duration,
    /// Who changed what, from then on.
    #[serde(with = "crate::span")]
    pub audit: Duration,
    /// Blobs that nobody refers to, from their last use on; at least 12h.
    #[serde(with = "crate::span")]
    pub blobs: Duration,
    /// Runs, or changes, deleted in one step.
    pub step: u32,
}

impl Default for Retention {
    fn default() -> Self {
        Self {
            executions: Duration::from_secs(30 * 86_400),
            events: Duration::from_secs(7 * 86_400),
            audit: Duration::from_secs(365 * 86_400),
            blobs: Duration::from_secs(2 * 86_400),
            step: 500,
        }
    }
}
