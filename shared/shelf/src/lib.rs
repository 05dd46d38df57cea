#![doc = include_str!("../README.md")]

mod shelf;

pub use shelf::Shelf;
