#![doc = include_str!("../README.md")]

mod jitter;
mod overlap;
mod rhythm;

pub use jitter::jittered;
pub use overlap::{Decision, decide};
pub use rhythm::{Rhythm, RhythmError};
