#![doc = include_str!("../README.md")]

pub mod block;
pub mod catalogue;
pub mod inputs;
pub mod logic;
pub mod models;
pub mod outputs;
pub mod ports;
mod render;
mod schema;
pub mod settings;
pub mod suggest;
pub mod transforms;

pub use block::{Block, Category, Example, Problem, Runner};
pub use catalogue::{Catalogue, catalogue};
pub use ports::{InputPort, OutputPort, Outputs, Placed};
