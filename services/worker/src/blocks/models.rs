//! Blocks that run a model.

pub(super) mod classification;
pub(super) mod detection;
pub(super) mod embedding;
mod inferring;
pub(super) mod segmentation;
pub(super) mod tensor;
