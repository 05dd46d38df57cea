//! Inference: jobs for the worker's model runtime.

pub mod classification;
pub mod detection;
pub mod embedding;
pub mod segmentation;
pub mod similarity_search;
mod source;
pub mod tensor;

pub use source::ModelSource;
