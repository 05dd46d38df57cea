//! The bounds of a definition. Each has a fault that names it.

/// Nodes of one workflow, with those of the workflows it calls.
pub const MAX_NODES: usize = 10_000;

/// A definition as compact JSON, bytes.
pub const MAX_DEFINITION_BYTES: usize = 8 * 1024 * 1024;

/// Arrays and objects inside each other.
pub const MAX_DEPTH: usize = 64;

/// Loops inside each other.
pub const MAX_LOOP_DEPTH: usize = 8;

/// Calls of workflows inside each other.
pub const MAX_CALL_DEPTH: usize = 8;

/// Workflows embedded in one definition.
pub const MAX_WORKFLOWS: usize = 256;

/// Faults in one answer; a last one says how many more there were.
pub const MAX_FAULTS: usize = 1_000;

/// Inputs of one node.
pub const MAX_INPUTS: usize = 256;

/// The longest a node or a run may be given, milliseconds: 30 days.
pub const MAX_TIMEOUT_MS: u64 = 30 * 24 * 3_600 * 1_000;

/// Jobs of one run at once.
pub const MAX_CONCURRENCY: u64 = 100_000;
