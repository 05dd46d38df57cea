//! What a run is given.

pub mod image_input;
pub mod parameter_input;
