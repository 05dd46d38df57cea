//! Blocks that run a model.

pub(super) mod detection;
