//! A graph's inputs and outputs as it declares them.

use millrace_onnx::{Port, extent_named};
use ort::value::{Outlet, TensorElementType, ValueType};

/// The element types that are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ElementType {
    /// Single precision.
    F32,
    /// Double precision.
    F64,
    /// Half precision.
    F16,
    /// Brain floats.
    BF16,
    /// 8 bits, signed.
    I8,
    /// 16 bits, signed.
    I16,
    /// 32 bits, signed.
    I32,
    /// 64 bits, signed.
    I64,
    /// 8 bits.
    U8,
    /// 16 bits.
    U16,
    /// 32 bits.
    U32,
    /// 64 bits.
    U64,
    /// True or false.
    Bool,
    /// Texts.
    Text,
    /// Anything else: complex numbers, packed small ones, sequences, maps, optional values.
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

impl ElementType {
    /// The name that numpy and ONNX know it by, such as `float32`; `other` for what has no plain one.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::F32 => "float32",
            Self::F64 => "float64",
            Self::F16 => "float16",
            Self::BF16 => "bfloat16",
            Self::I8 => "int8",
            Self::I16 => "int16",
            Self::I32 => "int32",
            Self::I64 => "int64",
            Self::U8 => "uint8",
            Self::U16 => "uint16",
            Self::U32 => "uint32",
            Self::U64 => "uint64",
            Self::Bool => "bool",
            Self::Text => "string",
            Self::Other => "other",
        }
    }

    /// Whether its numbers have a fraction.
    #[must_use]
    pub fn is_float(self) -> bool {
        matches!(self, Self::F32 | Self::F64 | Self::F16 | Self::BF16)
    }
}

impl From<TensorElementType> for ElementType {
    fn from(element: TensorElementType) -> Self {
        match element {
            TensorElementType::Float32 => Self::F32,
            TensorElementType::Float64 => Self::F64,
            TensorElementType::Float16 => Self::F16,
            TensorElementType::Bfloat16 => Self::BF16,
            TensorElementType::Int8 => Self::I8,
            TensorElementType::Int16 => Self::I16,
            TensorElementType::Int32 => Self::I32,
            TensorElementType::Int64 => Self::I64,
            TensorElementType::Uint8 => Self::U8,
            TensorElementType::Uint16 => Self::U16,
            TensorElementType::Uint32 => Self::U32,
            TensorElementType::Uint64 => Self::U64,
            TensorElementType::Bool => Self::Bool,
            TensorElementType::String => Self::Text,
            _ => Self::Other,
        }
    }
}

impl ElementType {
    /// By ONNX's `TensorProto.DataType`.
    fn of_code(code: u64) -> Self {
        match code {
            1 => Self::F32,
            2 => Self::U8,
            3 => Self::I8,
            4 => Self::U16,
            5 => Self::I16,
            6 => Self::I32,
            7 => Self::I64,
            8 => Self::Text,
            9 => Self::Bool,
            10 => Self::F16,
            11 => Self::F64,
            12 => Self::U32,
            13 => Self::U64,
            16 => Self::BF16,
            _ => Self::Other,
        }
    }
}

impl From<Port> for GraphPort {
    fn from(port: Port) -> Self {
        Self { name: port.name, element: ElementType::of_code(port.element), shape: port.shape }
    }
}

impl From<&Outlet> for GraphPort {
    fn from(outlet: &Outlet) -> Self {
        let (element, shape) = match outlet.dtype() {
            ValueType::Tensor { ty, shape, dimension_symbols } => {
                let named = |at: usize| dimension_symbols.get(at).and_then(|name| extent_named(name));
                let side = |(at, &side): (usize, &i64)| usize::try_from(side).ok().or_else(|| named(at));
                (ElementType::from(*ty), shape.iter().enumerate().map(side).collect())
            }
            _ => (ElementType::Other, Vec::new()),
        };
        Self { name: outlet.name().to_owned(), element, shape }
    }
}
