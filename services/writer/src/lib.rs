#![doc = include_str!("../README.md")]

mod batch;
mod error;
mod fleet;
mod intake;
mod lag;
mod partitions;
mod record;
mod role;

pub use error::WriterError;
pub use role::{Deps, run};
