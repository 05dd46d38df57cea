#![doc = include_str!("../README.md")]

mod blocks;
mod cancelled;
mod cpu;
mod downloads;
mod error;
mod fleet;
mod frames;
mod held;
mod images;
mod intake;
mod job;
mod keeper;
mod model_events;
mod models;
mod phase;
mod role;
mod values;

pub use error::WorkerError;
pub use phase::Phase;
pub use role::{Deps, run};
