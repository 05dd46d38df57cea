//! Models outside the known families whose graphs take and give plain tensors: nothing is assumed, numbers go in and numbers
//! come out. Chosen by `family = "raw"` in `millrace.toml`, and for what no other family recognises.
//!
//! Such graphs run one request at a time: nobody knows whether their first axes are rows.

use std::collections::BTreeMap;

use half::f16;
use millrace_contracts::ModelId;
use millrace_contracts::model::{Channels, ImageInput, Layout};
use millrace_vision::{Filter, Frame, Normalise, nchw_from, resize};
use serde_json::Value;

use super::{Entry, Family, named_by, names};
use crate::{ElementType, Elements, Facts, GraphPort, InferenceError, Tensor};

/// Numbers one tensor may have, given or gained.
pub const MOST_ELEMENTS: usize = 1 << 22;

/// Tasks in the metadata of Ultralytics exports that have families.
const TASKS_OF_OTHERS: [&str; 3] = ["detect", "segment", "classify"];

pub(super) const ENTRY: Entry = Entry {
    name: "raw",
    // What says that it is of another family was not recognised for what it lacks: that is to be said.
    recognises: |facts| !facts.text("task").is_some_and(|task| TASKS_OF_OTHERS.contains(&task)),
    make: |facts| RawModel::new(facts).map(|family| Box::new(family) as Box<dyn Family>),
};

/// A graph of plain tensors.
pub struct RawModel {
    id: ModelId,
    inputs: Vec<GraphPort>,
    outputs: Vec<GraphPort>,
    image: Option<ImageInput>,
    /// Why it is no other family's; none where its owner says that it is this one's.
    stranger: Option<String>,
}

/// A tensor as somebody wrote it.
#[derive(Debug, Clone, PartialEq)]
pub struct Given {
    /// Its shape.
    pub shape: Vec<usize>,
    /// Its elements, row-major: numbers, or true and false.
    pub data: Vec<Value>,
}

impl RawModel {
    fn new(facts: &Facts) -> Result<Self, InferenceError> {
        let plain = |port: &&GraphPort| !matches!(port.element, ElementType::Text | ElementType::Other);
        if let Some(odd) = facts.inputs.iter().chain(&facts.outputs).find(|port| !plain(port)) {
            let what = if odd.element == ElementType::Text {
                "texts"
            } else {
                "a sequence, a map or an optional value"
            };
            return Err(facts.unsupported(format!(
                "{:?} is {what}, and only tensors of numbers can be given and taken; no family knows the model otherwise",
                odd.name
            )));
        }
        let image = facts.overrides.image.clone();
        if let Some(name) = image.as_ref().and_then(|image| image.input.as_ref())
            && !facts.inputs.iter().any(|port| port.name == *name)
        {
            return Err(
                facts.unsupported(format!("its graph has no input {name:?}, which its millrace.toml names"))
            );
        }
        let stranger = facts.overrides.family.is_none().then(|| {
            format!(
                "{}, and no family knows it (there are {}); a `family` in its millrace.toml, or where it is registered, says \
                 which one reads it all the same",
                named_by(facts),
                names()
            )
        });
        let (inputs, outputs) = (facts.inputs.clone(), facts.outputs.clone());
        Ok(Self { id: facts.id.clone(), inputs, outputs, image, stranger })
    }

    /// Why it runs as plain tensors, and what would change that; none where its owner says so.
    pub(crate) fn stranger(&self) -> Option<&str> {
        self.stranger.as_deref()
    }

    /// What goes into the graph.
    #[must_use]
    pub fn inputs(&self) -> &[GraphPort] {
        &self.inputs
    }

    /// What comes out of it.
    #[must_use]
    pub fn outputs(&self) -> &[GraphPort] {
        &self.outputs
    }

    /// One tensor per input of the graph, of a picture and of what was given by name. Runs on a CPU thread.
    ///
    /// # Errors
    /// [`InferenceError::Input`] says which input is missing, unknown or does not fit.
    pub fn prepare(
        &self,
        frame: Option<&Frame>,
        mut given: BTreeMap<String, Given>,
    ) -> Result<Vec<Tensor>, InferenceError> {
        let picture = frame.map(|frame| self.picture(frame)).transpose()?;
        let mut tensors = Vec::with_capacity(self.inputs.len());
        for port in &self.inputs {
            let tensor = match (given.remove(&port.name), &picture) {
                (Some(given), _) => self.tensor(port, &given)?,
                (None, Some((name, tensor))) if *name == port.name => tensor.clone(),
                (None, _) => return Err(self.fault(format!("the input {:?} is missing", port.name))),
            };
            tensors.push(tensor);
        }
        match given.keys().next() {
            None => Ok(tensors),
            Some(unknown) => {
                let known: Vec<&str> = self.inputs.iter().map(|port| port.name.as_str()).collect();
                Err(self.fault(format!("there is no input {unknown:?}; there are {}", known.join(", "))))
            }
        }
    }

    fn fault(&self, detail: String) -> InferenceError {
        InferenceError::Input { id: self.id.clone(), detail }
    }

    /// The picture for the input that takes it.
    fn picture(&self, frame: &Frame) -> Result<(&str, Tensor), InferenceError> {
        let settings = self.image.as_ref().ok_or_else(|| {
            self.fault(
                "it takes no picture; say how one is prepared, under [image] in its millrace.toml, or as `image` where it is \
                 registered"
                    .to_owned(),
            )
        })?;
        let named = |port: &&GraphPort| settings.input.as_ref().is_none_or(|name| *name == port.name);
        let port = self.inputs.iter().find(named).ok_or_else(|| self.fault("it has no inputs".to_owned()))?;
        let [width, height] = settings.size;
        let scaled = resize(frame, width, height, Filter::Bilinear)?;
        let single = |numbers: [f64; 3]| numbers.map(|number| number as f32);
        let (mean, std) = (single(settings.mean), single(settings.std));
        let normalise = Normalise { scale: settings.scale as f32, mean, std };
        let mut planes = match port.element {
            // Whole numbers are the samples themselves.
            ElementType::U8 => nchw_from(&scaled, &Normalise { scale: 1.0, mean: [0.0; 3], std: [1.0; 3] }),
            _ => nchw_from(&scaled, &normalise),
        };
        let pixels = width as usize * height as usize;
        if settings.channels == Channels::Bgr {
            let (red, blue) = planes.split_at_mut(2 * pixels);
            red[..pixels].swap_with_slice(blue);
        }
        let (shape, data) = match settings.layout {
            Layout::Nchw => (vec![1, 3, height as usize, width as usize], planes),
            Layout::Nhwc => {
                let beside = (0..pixels).flat_map(|pixel| (0..3).map(move |plane| plane * pixels + pixel));
                (vec![1, height as usize, width as usize, 3], beside.map(|place| planes[place]).collect())
            }
        };
        let elements = match port.element {
            ElementType::F32 | ElementType::F16 => Elements::F32(data),
            ElementType::U8 => Elements::U8(data.into_iter().map(|sample| sample as u8).collect()),
            other => {
                let other = other.as_str();
                return Err(self.fault(format!("{:?} takes {other}, which no picture is made as", port.name)));
            }
        };
        Ok((&port.name, Tensor::of(shape, elements).expect("a picture has its planes")))
    }

    /// What was written, in the graph's own type.
    fn tensor(&self, port: &GraphPort, given: &Given) -> Result<Tensor, InferenceError> {
        let wrong = |detail: String| self.fault(format!("{:?}: {detail}", port.name));
        let count = given.shape.iter().try_fold(1usize, |product, &side| product.checked_mul(side));
        if given.data.len() > MOST_ELEMENTS || count != Some(given.data.len()) {
            let have = given.data.len();
            return Err(wrong(format!(
                "{have} numbers for the shape {:?}, of at most {MOST_ELEMENTS}",
                given.shape
            )));
        }
        let elements = elements(port.element, &given.data)
            .map_err(|place| wrong(format!("element {place} is no {}", port.element.as_str())))?;
        Tensor::of(given.shape.clone(), elements).ok_or_else(|| wrong("the shape does not fit".to_owned()))
    }
}

/// The elements in this type; the error is the place of the first that cannot be.
fn elements(element: ElementType, data: &[Value]) -> Result<Elements, usize> {
    fn each<T>(data: &[Value], read: impl Fn(&Value) -> Option<T>) -> Result<Vec<T>, usize> {
        data.iter().enumerate().map(|(place, value)| read(value).ok_or(place)).collect()
    }
    fn whole<T: TryFrom<i64>>(value: &Value) -> Option<T> {
        let float = || value.as_f64().filter(|number| number.fract() == 0.0 && number.abs() < 9.0e15);
        value
            .as_i64()
            .or_else(|| float().map(|number| number as i64))
            .and_then(|number| T::try_from(number).ok())
    }
    Ok(match element {
        ElementType::F32 => Elements::F32(each(data, |value| value.as_f64().map(|number| number as f32))?),
        ElementType::F64 => Elements::F64(each(data, Value::as_f64)?),
        ElementType::F16 => Elements::F16(each(data, |value| value.as_f64().map(f16::from_f64))?),
        ElementType::BF16 => Elements::BF16(each(data, |value| value.as_f64().map(half::bf16::from_f64))?),
        ElementType::I8 => Elements::I8(each(data, whole)?),
        ElementType::I16 => Elements::I16(each(data, whole)?),
        ElementType::I32 => Elements::I32(each(data, whole)?),
        ElementType::I64 => Elements::I64(each(data, whole)?),
        ElementType::U8 => Elements::U8(each(data, whole)?),
        ElementType::U16 => Elements::U16(each(data, whole)?),
        ElementType::U32 => Elements::U32(each(data, whole)?),
        ElementType::U64 => Elements::U64(each(data, |value| value.as_u64().or_else(|| whole(value)))?),
        ElementType::Bool => Elements::Bool(each(data, |value| match value {
            Value::Bool(flag) => Some(*flag),
            other => other.as_u64().filter(|number| *number < 2).map(|number| number == 1),
        })?),
        ElementType::Text | ElementType::Other => return Err(0),
    })
}

impl Elements {
    /// As JSON. Numbers that JSON does not have, NaN and infinity, stand as null.
    #[must_use]
    pub fn to_json(&self) -> Vec<Value> {
        fn all<T: Copy + Into<Value>>(data: &[T]) -> Vec<Value> {
            data.iter().map(|&number| number.into()).collect()
        }
        let single = |number: f32| Value::from(millrace_contracts::values::shortest_double(number));
        match self {
            Self::F32(data) => data.iter().map(|&number| single(number)).collect(),
            Self::F16(data) => data.iter().map(|number| single(number.to_f32())).collect(),
            Self::BF16(data) => data.iter().map(|number| single(number.to_f32())).collect(),
            Self::F64(data) => all(data),
            Self::I8(data) => all(data),
            Self::I16(data) => all(data),
            Self::I32(data) => all(data),
            Self::I64(data) => all(data),
            Self::U8(data) => all(data),
            Self::U16(data) => all(data),
            Self::U32(data) => all(data),
            Self::U64(data) => all(data),
            Self::Bool(data) => all(data),
        }
    }
}

impl Family for RawModel {
    fn name(&self) -> &'static str {
        ENTRY.name
    }

    fn task(&self) -> &'static str {
        "raw tensors"
    }

    fn labels(&self) -> &[String] {
        &[]
    }

    fn raw(&self) -> Option<&RawModel> {
        Some(self)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn numbers_are_taken_in_the_graphs_own_type_or_not_at_all() {
        let read = |element, value: Value| elements(element, value.as_array().unwrap());
        assert_eq!(read(ElementType::I8, json!([1, -128, 3.0])), Ok(Elements::I8(vec![1, -128, 3])));
        assert_eq!(read(ElementType::I8, json!([1, 128])), Err(1));
        assert_eq!(read(ElementType::U8, json!([-1])), Err(0));
        assert_eq!(read(ElementType::I64, json!([1.5])), Err(0));
        assert_eq!(
            read(ElementType::U64, json!([18_446_744_073_709_551_615u64])),
            Ok(Elements::U64(vec![u64::MAX]))
        );
        assert_eq!(read(ElementType::Bool, json!([true, 0, 1])), Ok(Elements::Bool(vec![true, false, true])));
        assert_eq!(read(ElementType::Bool, json!([2])), Err(0));
        assert_eq!(read(ElementType::F32, json!([1, "2"])), Err(1));
    }

    #[test]
    fn what_json_does_not_have_stands_as_null() {
        let values = Elements::F32(vec![0.1, f32::NAN, f32::INFINITY]).to_json();
        assert_eq!(Value::from(values).to_string(), "[0.1,null,null]");
        assert_eq!(Elements::Bool(vec![true]).to_json(), [json!(true)]);
    }
}
