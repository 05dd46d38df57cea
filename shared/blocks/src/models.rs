//! Inference: jobs for the worker's model runtime.

pub mod detection;
mod source;

pub use source::ModelSource;
