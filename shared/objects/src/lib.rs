#![doc = include_str!("../README.md")]

mod error;
mod open;

pub use error::ObjectsError;
pub use open::open;
