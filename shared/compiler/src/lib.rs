#![doc = include_str!("../README.md")]

mod compile;
mod inputs;
pub mod logic;
pub mod plan;

pub use compile::{compile, compile_text, pin};
pub use inputs::InputSpec;
pub use logic::{Call, Logic, Ports, output_value};
pub use plan::Plan;
