#![doc = include_str!("../README.md")]

mod ahead;
mod blocks;
mod cancelled;
mod cpu;
mod downloads;
mod drain;
mod effort;
mod error;
mod fleet;
mod frames;
mod hands;
mod held;
mod images;
mod intake;
mod inventory;
mod job;
mod keeper;
mod lanes;
mod model_events;
mod models;
mod neighbours;
mod origins;
mod outside;
mod phase;
mod post;
mod role;
mod router;
mod scout;
mod solitude;
mod values;
mod wishes;

pub use error::WorkerError;
pub use models::{models_folder, models_in_bucket, wanted_device};
pub use phase::Phase;
pub use role::{Deps, run};
