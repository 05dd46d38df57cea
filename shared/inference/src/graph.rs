//! A graph's inputs and outputs as it declares them.

use ort::value::{Outlet, TensorElementType, ValueType};

/// The element types that are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ElementType {
    /// Single precision.
    F32,
    /// Half precision.
    F16,
    /// 64-bit integers.
    I64,
    /// Anything else, tensors or not.
    Other,
}

/// One input or output of a graph.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GraphPort {
    /// Its name in the graph.
    pub name: String,
    /// Its element type.
    pub element: ElementType,
    /// Extent of every axis; none where it is symbolic.
    pub shape: Vec<Option<usize>>,
}

impl From<&Outlet> for GraphPort {
    fn from(outlet: &Outlet) -> Self {
        let (element, shape) = match outlet.dtype() {
            ValueType::Tensor { ty, shape, .. } => (
                match ty {
                    TensorElementType::Float32 => ElementType::F32,
                    TensorElementType::Float16 => ElementType::F16,
                    TensorElementType::Int64 => ElementType::I64,
                    _ => ElementType::Other,
                },
                shape.iter().map(|&side| usize::try_from(side).ok()).collect(),
            ),
            _ => (ElementType::Other, Vec::new()),
        };
        Self { name: outlet.name().to_owned(), element, shape }
    }
}
