//! Our tensors to the runtime's values and back.

use std::fmt::Debug;

use half::f16;
use half::slice::HalfFloatSliceExt;
use ort::session::{SessionInputValue, SessionOutputs};
use ort::value::{DynTensor, DynValue, PrimitiveTensorElementType, TensorRef, ValueRef, ValueType};

use super::feed::Feed;
use crate::tensor::Number;
use crate::{ElementType, Elements, Tensor};

/// Why a run gave nothing.
pub(super) enum Fault {
    /// The run failed.
    Run(ort::Error),
    /// An output is no tensor that is read.
    Output(String),
}

impl From<ort::Error> for Fault {
    fn from(error: ort::Error) -> Self {
        Self::Run(error)
    }
}

/// `call::<T>(given)` for the type that an [`ElementType`] stands for, else `other`.
macro_rules! of_type {
    ($element:expr, $call:ident($($given:expr),*), $other:expr) => {
        match $element {
            ElementType::F32 => $call::<f32>($($given),*),
            ElementType::F64 => $call::<f64>($($given),*),
            ElementType::F16 => $call::<f16>($($given),*),
            ElementType::BF16 => $call::<half::bf16>($($given),*),
            ElementType::I8 => $call::<i8>($($given),*),
            ElementType::I16 => $call::<i16>($($given),*),
            ElementType::I32 => $call::<i32>($($given),*),
            ElementType::I64 => $call::<i64>($($given),*),
            ElementType::U8 => $call::<u8>($($given),*),
            ElementType::U16 => $call::<u16>($($given),*),
            ElementType::U32 => $call::<u32>($($given),*),
            ElementType::U64 => $call::<u64>($($given),*),
            ElementType::Bool => $call::<bool>($($given),*),
            ElementType::Text | ElementType::Other => $other,
        }
    };
}

/// A tensor as the runtime takes it; not a copy.
pub(super) fn view_of(tensor: &Tensor) -> Result<SessionInputValue<'_>, ort::Error> {
    of_type!(tensor.element_type(), view(tensor), Err(unread(tensor.element_type())))
}

fn view<T: Number + PrimitiveTensorElementType + Debug + 'static>(
    tensor: &Tensor,
) -> Result<SessionInputValue<'_>, ort::Error> {
    let data = T::among(tensor.elements()).expect("a tensor's elements are of its type");
    Ok(TensorRef::from_array_view((tensor.shape().to_vec(), data))?.into())
}

/// Writes what a port is fed into a tensor of the runtime's that has its shape: part below part, and zeros below the last.
/// Numbers in single precision become half precision in a tensor of that.
pub(super) fn fill(
    tensor: &mut DynTensor,
    element: ElementType,
    (feed, port): (&Feed<'_>, usize),
) -> Result<(), ort::Error> {
    match element {
        ElementType::F32 => fill_with(tensor, (feed, port), Tensor::write_to),
        ElementType::F16 => fill_with(tensor, (feed, port), copy_halved),
        _ => of_type!(element, fill_alike(tensor, (feed, port)), Err(unread(element))),
    }
}

fn fill_alike<T: Number + PrimitiveTensorElementType>(
    tensor: &mut DynTensor,
    fed: (&Feed<'_>, usize),
) -> Result<(), ort::Error> {
    fill_with(tensor, fed, copy::<T>)
}

fn fill_with<T: Number + PrimitiveTensorElementType>(
    tensor: &mut DynTensor,
    (feed, port): (&Feed<'_>, usize),
    copy: impl Fn(&Tensor, &mut [T]) -> Option<()>,
) -> Result<(), ort::Error> {
    let (_, mut rest) = tensor.try_extract_tensor_mut::<T>()?;
    for part in feed.parts(port) {
        let (own, below) = rest.split_at_mut_checked(part.len()).ok_or_else(misfit)?;
        copy(part, own).ok_or_else(misfit)?;
        rest = below;
    }
    // The tensor may have been another batch's.
    rest.fill(T::default());
    Ok(())
}

/// The elements of a type to a place of their size; none when they are of another.
fn copy<T: Number>(from: &Tensor, to: &mut [T]) -> Option<()> {
    to.copy_from_slice(T::among(from.elements())?);
    Some(())
}

fn copy_halved(from: &Tensor, to: &mut [f16]) -> Option<()> {
    match from.elements() {
        Elements::F32(data) => to.convert_from_f32_slice(data),
        _ => copy(from, to)?,
    }
    Some(())
}

fn misfit() -> ort::Error {
    ort::Error::new("the rows of one batch have different sizes or types")
}

fn unread(element: ElementType) -> ort::Error {
    ort::Error::new(format!("tensors of {} are not given", element.as_str()))
}

/// What a run gave, as tensors.
pub(super) fn tensors_of(outputs: &SessionOutputs<'_>) -> Result<Vec<Tensor>, Fault> {
    let read = |(name, value): (&str, ValueRef<'_>)| {
        tensor_of(&value).map_err(|detail| Fault::Output(format!("{name}: {detail}")))
    };
    outputs.iter().map(read).collect()
}

/// What the runtime gave, as a tensor; the error says why it is none.
fn tensor_of(value: &DynValue) -> Result<Tensor, String> {
    let ValueType::Tensor { ty, .. } = value.dtype() else {
        return Err("it is a sequence, a map or an optional value, not a tensor".to_owned());
    };
    of_type!(ElementType::from(*ty), extracted(value), Err(format!("tensors of {ty} are not read")))
}

fn extracted<T: PrimitiveTensorElementType + Clone>(value: &DynValue) -> Result<Tensor, String>
where
    Elements: From<Vec<T>>,
{
    let (shape, data) = value.try_extract_tensor::<T>().map_err(|error| error.to_string())?;
    let shape: Vec<usize> = shape.iter().map(|&side| usize::try_from(side).unwrap_or(0)).collect();
    let odd = format!("the shape {shape:?} does not have {} elements", data.len());
    Tensor::of(shape, data.to_vec()).ok_or(odd)
}
