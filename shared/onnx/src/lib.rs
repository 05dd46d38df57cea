#![doc = include_str!("../README.md")]

mod convnet;
mod graph;
mod weights;
mod wire;

pub use convnet::{Convnet, Head, convnet};
pub use graph::{Attribute, Element, Graph, Side};
pub use weights::Weights;
