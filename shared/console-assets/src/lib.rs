#![doc = include_str!("../README.md")]

mod asset;

pub use asset::{Asset, asset};
