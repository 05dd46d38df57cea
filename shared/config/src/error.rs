//! What can be wrong with a configuration: all of it in one report.

use std::fmt;
use std::path::PathBuf;

use crate::Origin;

/// Why no configuration could be made.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file that was named, or the `millrace.toml` that is there, cannot be read.
    #[error("cannot read the configuration file {path}: {source}; check the path and its permissions")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// One or more keys are at fault.
    #[error("the configuration has {} fault(s):{}", .0.len(), list(.0))]
    Invalid(Vec<ConfigFault>),
}

/// One mistake, with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigFault {
    /// The key, `worker.lease`; empty when a file as a whole is at fault.
    pub key: String,
    /// The layer that set it.
    pub origin: Origin,
    /// What is wrong and what would be right.
    pub message: String,
}

impl fmt::Display for ConfigFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.key.is_empty() {
            return write!(f, "{} ({})", self.message, self.origin);
        }
        write!(f, "{}: {} ({})", self.key, self.message, self.origin)
    }
}

fn list(faults: &[ConfigFault]) -> String {
    faults.iter().map(|fault| format!("\n  - {fault}")).collect()
}
