//! What a run gives.

pub mod json_output;
