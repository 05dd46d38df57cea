#![doc = include_str!("../README.md")]

mod batch;
mod blobs;
mod error;
mod fleet;
mod intake;
mod lag;
mod record;
mod role;
mod upkeep;

pub use error::WriterError;
pub use role::{Deps, run};
