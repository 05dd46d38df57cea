#![doc = include_str!("../README.md")]

mod collections;
mod error;
mod exchange;
mod qdrant;
mod stores;

pub use error::VectorError;
pub use stores::{Backend, Match, Query, Service, StoreSettings, VectorStores};
