//! Our tensors to the runtime's values and back.

use ort::session::SessionInputValue;
use ort::value::{DynValue, PrimitiveTensorElementType, TensorRef, ValueType};

use crate::{ElementType, Elements, Tensor};

/// A tensor as the runtime takes it; not a copy.
pub(super) fn view_of(tensor: &Tensor) -> Result<SessionInputValue<'_>, ort::Error> {
    let shape = tensor.shape().to_vec();
    Ok(match tensor.elements() {
        Elements::F32(data) => TensorRef::from_array_view((shape, data.as_slice()))?.into(),
        Elements::F64(data) => TensorRef::from_array_view((shape, data.as_slice()))?.into(),
        Elements::F16(data) => TensorRef::from_array_view((shape, data.as_slice()))?.into(),
        Elements::BF16(data) => TensorRef::from_array_view((shape, data.as_slice()))?.into(),
        Elements::I8(data) => TensorRef::from_array_view((shape, data.as_slice()))?.into(),
        Elements::I16(data) => TensorRef::from_array_view((shape, data.as_slice()))?.into(),
        Elements::I32(data) => TensorRef::from_array_view((shape, data.as_slice()))?.into(),
        Elements::I64(data) => TensorRef::from_array_view((shape, data.as_slice()))?.into(),
        Elements::U8(data) => TensorRef::from_array_view((shape, data.as_slice()))?.into(),
        Elements::U16(data) => TensorRef::from_array_view((shape, data.as_slice()))?.into(),
        Elements::U32(data) => TensorRef::from_array_view((shape, data.as_slice()))?.into(),
        Elements::U64(data) => TensorRef::from_array_view((shape, data.as_slice()))?.into(),
        Elements::Bool(data) => TensorRef::from_array_view((shape, data.as_slice()))?.into(),
    })
}

/// What the runtime gave, as a tensor; the error says why it is none.
pub(super) fn tensor_of(value: &DynValue) -> Result<Tensor, String> {
    let ValueType::Tensor { ty, .. } = value.dtype() else {
        return Err("it is a sequence, a map or an optional value, not a tensor".to_owned());
    };
    match ElementType::from(*ty) {
        ElementType::F32 => extracted::<f32>(value),
        ElementType::F64 => extracted::<f64>(value),
        ElementType::F16 => extracted::<half::f16>(value),
        ElementType::BF16 => extracted::<half::bf16>(value),
        ElementType::I8 => extracted::<i8>(value),
        ElementType::I16 => extracted::<i16>(value),
        ElementType::I32 => extracted::<i32>(value),
        ElementType::I64 => extracted::<i64>(value),
        ElementType::U8 => extracted::<u8>(value),
        ElementType::U16 => extracted::<u16>(value),
        ElementType::U32 => extracted::<u32>(value),
        ElementType::U64 => extracted::<u64>(value),
        ElementType::Bool => extracted::<bool>(value),
        ElementType::Text | ElementType::Other => Err(format!("tensors of {ty} are not read")),
    }
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
