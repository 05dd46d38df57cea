//! What the orchestrator evaluates by itself: pure functions of resolved inputs and config.

use millrace_contracts::JobError;
use serde_json::{Map, Value};

/// What a block is called with.
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    /// Input ports, resolved. A skipped optional input is null or absent.
    pub inputs: &'a Map<String, Value>,
    /// The configuration, selectors resolved and defaults filled in.
    pub config: &'a Map<String, Value>,
}

/// What a block gives.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Ports {
    /// Ports that carry a value.
    pub values: Map<String, Value>,
    /// Ports that are skipped.
    pub skipped: Vec<String>,
}

/// The compiled evaluation of a block that the orchestrator runs.
#[derive(Debug)]
pub enum Logic {
    /// Passes its value to `true` or `false`.
    Condition,
}

impl Logic {
    /// Evaluates the block.
    ///
    /// # Errors
    /// `INVALID_INPUT` or `INVALID_CONFIG`, with the place in the node.
    pub fn evaluate(&self, call: &Call<'_>) -> Result<Ports, JobError> {
        let _ = call;
        Ok(Ports::default())
    }
}

/// A value as it stands in a run's `outputs`: images become links.
#[must_use]
pub fn output_value(value: Value) -> Value {
    value
}
