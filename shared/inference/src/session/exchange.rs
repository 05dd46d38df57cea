//! Our tensors to the runtime's values and back.

use ort::session::SessionInputValue;
use ort::value::{DynValue, PrimitiveTensorElementType, Tensor as OrtTensor, ValueType};

use crate::{ElementType, Elements, Tensor};

/// A tensor as the runtime takes it. In half precision where the graph wants that and is given single precision.
pub(super) fn value_of(
    tensor: Tensor,
    wanted: ElementType,
) -> Result<SessionInputValue<'static>, ort::Error> {
    let tensor = if wanted == ElementType::F16 { tensor.in_half_precision() } else { tensor };
    let (shape, elements) = tensor.into_parts();
    Ok(match elements {
        Elements::F32(data) => OrtTensor::from_array((shape, data))?.into(),
        Elements::F64(data) => OrtTensor::from_array((shape, data))?.into(),
        Elements::F16(data) => OrtTensor::from_array((shape, data))?.into(),
        Elements::BF16(data) => OrtTensor::from_array((shape, data))?.into(),
        Elements::I8(data) => OrtTensor::from_array((shape, data))?.into(),
        Elements::I16(data) => OrtTensor::from_array((shape, data))?.into(),
        Elements::I32(data) => OrtTensor::from_array((shape, data))?.into(),
        Elements::I64(data) => OrtTensor::from_array((shape, data))?.into(),
        Elements::U8(data) => OrtTensor::from_array((shape, data))?.into(),
        Elements::U16(data) => OrtTensor::from_array((shape, data))?.into(),
        Elements::U32(data) => OrtTensor::from_array((shape, data))?.into(),
        Elements::U64(data) => OrtTensor::from_array((shape, data))?.into(),
        Elements::Bool(data) => OrtTensor::from_array((shape, data))?.into(),
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
