//! A tensor's elements in the types that graphs use. One table, so that no type can be forgotten in one place.

use std::ops::Range;

use half::slice::HalfFloatSliceExt;
use half::{bf16, f16};

use crate::ElementType;

/// A type that tensors have elements of.
pub(crate) trait Number: Copy + Default {
    /// The elements, where they are of this type.
    fn among(elements: &Elements) -> Option<&[Self]>;
}

macro_rules! elements {
    ($($(#[$doc:meta])* $variant:ident($number:ty)),* $(,)?) => {
        /// Elements of one type, row-major.
        #[derive(Debug, Clone, PartialEq)]
        pub enum Elements {
            $($(#[$doc])* $variant(Vec<$number>),)*
        }

        $(impl From<Vec<$number>> for Elements {
            fn from(data: Vec<$number>) -> Self {
                Self::$variant(data)
            }
        })*

        $(impl Number for $number {
            fn among(elements: &Elements) -> Option<&[Self]> {
                match elements {
                    Elements::$variant(data) => Some(data),
                    _ => None,
                }
            }
        })*

        impl Elements {
            /// How many.
            #[must_use]
            pub fn len(&self) -> usize {
                match self { $(Self::$variant(data) => data.len(),)* }
            }

            /// Their type.
            #[must_use]
            pub fn element_type(&self) -> ElementType {
                match self { $(Self::$variant(_) => ElementType::$variant,)* }
            }

            /// Those in `range`.
            pub(crate) fn part(&self, range: Range<usize>) -> Self {
                match self { $(Self::$variant(data) => Self::$variant(data[range].to_vec()),)* }
            }

            /// One after the other, filled with zeros up to `count`. Parts of another type than the first are left out:
            /// requests of different types never stand in one batch.
            pub(crate) fn concatenated<'a>(parts: impl Iterator<Item = &'a Self>, count: usize) -> Self {
                let mut parts = parts.peekable();
                match parts.peek() {
                    None => Self::F32(vec![0.0; count]),
                    $(Some(Self::$variant(_)) => {
                        let mut data: Vec<$number> = Vec::with_capacity(count);
                        for part in parts {
                            if let Self::$variant(part) = part {
                                data.extend_from_slice(part);
                            }
                        }
                        data.resize(count, <$number>::default());
                        Self::$variant(data)
                    })*
                }
            }
        }
    };
}

elements! {
    /// Single precision.
    F32(f32),
    /// Double precision.
    F64(f64),
    /// Half precision.
    F16(f16),
    /// Brain floats: half as many bits as single precision, the same range.
    BF16(bf16),
    /// 8 bits, signed.
    I8(i8),
    /// 16 bits, signed.
    I16(i16),
    /// 32 bits, signed.
    I32(i32),
    /// 64 bits, signed.
    I64(i64),
    /// 8 bits.
    U8(u8),
    /// 16 bits.
    U16(u16),
    /// 32 bits.
    U32(u32),
    /// 64 bits.
    U64(u64),
    /// True or false.
    Bool(bool),
}

impl Elements {
    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(super) fn in_single_precision(self) -> Self {
        match self {
            Self::F16(data) => Self::F32(data.to_f32_vec()),
            Self::BF16(data) => Self::F32(data.to_f32_vec()),
            Self::F64(data) => Self::F32(data.into_iter().map(|number| number as f32).collect()),
            same => same,
        }
    }

    pub(super) fn in_half_precision(&self) -> Option<Self> {
        match self {
            Self::F32(data) => {
                let mut halves = vec![f16::ZERO; data.len()];
                // Eight at a time where the processor can: one by one it takes as long as a small model.
                halves.convert_from_f32_slice(data);
                Some(Self::F16(halves))
            }
            _ => None,
        }
    }
}
