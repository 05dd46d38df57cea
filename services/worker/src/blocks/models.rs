//! Blocks that run a model, or search among what models gave.

pub(super) mod classification;
pub(super) mod detection;
pub(super) mod embedding;
mod inferring;
pub(super) mod segmentation;
pub(super) mod similarity_search;
pub(super) mod tensor;
