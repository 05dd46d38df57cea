#![doc = include_str!("../README.md")]

mod convnet;
mod graph;
mod skim;
mod weights;
mod wire;

pub use convnet::{Convnet, Head, convnet};
pub use graph::{Attribute, Element, Graph, Side};
pub use skim::{Port, Skimmed, extent_named, external_files, skim};
pub use weights::Weights;
