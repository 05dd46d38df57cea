#![doc = include_str!("../README.md")]

mod turn;
mod waiting;

pub use turn::Turn;
pub use waiting::{Next, Turns};
