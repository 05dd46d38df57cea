//! The policies a definition may set on a node or a run, with their defaults.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::ErrorKind;

/// How often and how patiently a node is tried.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Retry {
    /// Attempts in all, 1 to 20.
    pub max_attempts: u32,
    /// Pause before the second attempt, milliseconds.
    pub initial_ms: u64,
    /// Each pause is so many times the one before, 1 to 10.
    pub multiplier: f64,
    /// No pause is longer, milliseconds.
    pub max_ms: u64,
    /// Share of each pause that is random, 0 to 1.
    pub jitter: f64,
    /// Which kinds are retried; those that say so themselves when empty.
    pub on: Vec<ErrorKind>,
}

impl Default for Retry {
    fn default() -> Self {
        Self {
            max_attempts: 1,
            initial_ms: 500,
            multiplier: 2.0,
            max_ms: 30_000,
            jitter: 0.2,
            on: Vec::new(),
        }
    }
}

/// What a node's final failure means for the rest.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnError {
    /// The loop item fails if a loop tolerates it, the run otherwise.
    #[default]
    Fail,
    /// What depends on it is skipped.
    Skip,
    /// Its output ports take these values.
    Default(Map<String, Value>),
}

/// What a loop does with an item that failed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnItemError {
    /// The loop fails, and with it whatever encloses it.
    #[default]
    Fail,
    /// The item collects as null.
    Null,
    /// The item is left out.
    Drop,
}

/// Whether a result may be reused by content.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CachePolicy {
    /// Where the block is pure.
    #[default]
    Auto,
    /// Never.
    Off,
}
