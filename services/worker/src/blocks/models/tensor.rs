//! `tensor`: a model outside the known families, numbers in and numbers out.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;
use millrace_blocks::models::tensor::Config;
use millrace_contracts::{ErrorKind, JobError, ModelId};
use millrace_inference::{Given, InferenceError, MOST_ELEMENTS, RawModel, Tensor};
use millrace_vision::Frame;
use serde_json::{Map, Value, json};

use super::inferring;
use crate::error::of_inference;
use crate::job::{JobContext, Outputs, Stage};
use crate::values;

/// Lists inside lists that a tensor may be written as.
const MOST_AXES: usize = 16;

pub(crate) fn run(context: &JobContext) -> BoxFuture<'_, Result<Outputs, JobError>> {
    compute(context).boxed()
}

async fn compute(context: &JobContext) -> Result<Outputs, JobError> {
    let config: Config = values::config(context)?;
    let id = ModelId::from(config.model_id.as_str());
    let (frame, model) = tokio::try_join!(frame(context), context.model(&id))?;
    let failed = |error: InferenceError| {
        let job_error = of_inference(&error);
        if matches!(error, InferenceError::Input { .. }) { job_error.at("/inputs") } else { job_error }
    };
    let tensors = context.inputs.get("tensors").cloned().unwrap_or(Value::Null);
    let names: Vec<String> =
        model.raw().map_err(failed)?.outputs().iter().map(|port| port.name.clone()).collect();
    let wanted = wanted(config.outputs.as_deref(), &names)?;
    let preparing = Arc::clone(&model);
    let prepare = move || {
        let raw = preparing.raw().map_err(failed)?;
        let given = given(raw, &tensors).map_err(|error| error.at("/inputs/tensors"))?;
        raw.prepare(frame.as_ref(), given).map_err(failed)
    };
    let inputs = context.cpu(Stage::Preprocess, prepare).await??;
    let inferred = context.inferred(&model, model.infer_alone(context.rows(inputs)).await)?;
    let write = move |outputs: &[Tensor]| written(&names, &wanted, outputs);
    let outputs = context.read(inferred, write).await??;
    Ok(Outputs::from_iter([("outputs".to_owned(), Value::Object(outputs))]))
}

async fn frame(context: &JobContext) -> Result<Option<Frame>, JobError> {
    if context.inputs.get("image").is_none_or(Value::is_null) {
        return Ok(None);
    }
    let image = values::image(context, "image")?;
    inferring::pixels(context, &image).await.map(Some)
}

fn invalid(message: impl Into<String>) -> JobError {
    JobError::new(ErrorKind::InvalidInput, message)
}

/// The places of the outputs that are asked for.
fn wanted(asked: Option<&[String]>, names: &[String]) -> Result<Vec<usize>, JobError> {
    let Some(asked) = asked else { return Ok((0..names.len()).collect()) };
    let place = |name: &String| {
        names.iter().position(|own| own == name).ok_or_else(|| {
            let message = format!("the graph has no output {name:?}; it has {}", names.join(", "));
            JobError::new(ErrorKind::InvalidConfig, message).at("/config/outputs")
        })
    };
    asked.iter().map(place).collect()
}

/// What was given, by the graph's inputs.
fn given(raw: &RawModel, tensors: &Value) -> Result<BTreeMap<String, Given>, JobError> {
    match tensors {
        Value::Null => Ok(BTreeMap::new()),
        Value::Object(fields) if !is_tensor(fields) => {
            fields.iter().map(|(name, value)| Ok((name.clone(), tensor_of(value)?))).collect()
        }
        one => match raw.inputs() {
            [input] => Ok(BTreeMap::from([(input.name.clone(), tensor_of(one)?)])),
            inputs => {
                let names: Vec<&str> = inputs.iter().map(|input| input.name.as_str()).collect();
                Err(invalid(format!(
                    "the graph has several inputs; give each by its name: {}",
                    names.join(", ")
                )))
            }
        },
    }
}

fn is_tensor(fields: &Map<String, Value>) -> bool {
    fields.contains_key("data")
        && fields.keys().all(|name| matches!(name.as_str(), "shape" | "data" | "dtype"))
}

/// `{"shape", "data"}`, as a block like this one gives it, or lists inside lists.
fn tensor_of(value: &Value) -> Result<Given, JobError> {
    let Value::Object(fields) = value else { return nested(value) };
    let Some(shape) = fields.get("shape") else {
        return nested(fields.get("data").unwrap_or(&Value::Null));
    };
    let sides = shape.as_array().and_then(|sides| {
        sides
            .iter()
            .map(|side| side.as_u64().and_then(|side| usize::try_from(side).ok()))
            .collect::<Option<Vec<_>>>()
    });
    let (shape, data) = sides.zip(fields.get("data").and_then(Value::as_array)).ok_or_else(|| {
        invalid("a tensor is {\"shape\": [whole numbers], \"data\": [numbers]}, or lists inside lists")
    })?;
    Ok(Given { shape, data: data.clone() })
}

fn nested(value: &Value) -> Result<Given, JobError> {
    let (mut shape, mut inner) = (Vec::new(), value);
    while let Value::Array(items) = inner {
        shape.push(items.len());
        match items.first() {
            Some(first) if shape.len() < MOST_AXES => inner = first,
            _ => break,
        }
    }
    let mut data = Vec::new();
    flatten(value, &shape, &mut data)?;
    Ok(Given { shape, data })
}

fn flatten(value: &Value, shape: &[usize], data: &mut Vec<Value>) -> Result<(), JobError> {
    match (value, shape) {
        (Value::Array(items), [side, inner @ ..]) if items.len() == *side => {
            items.iter().try_for_each(|item| flatten(item, inner, data))
        }
        (Value::Number(_) | Value::Bool(_), []) if data.len() < MOST_ELEMENTS => {
            data.push(value.clone());
            Ok(())
        }
        _ => Err(invalid(format!(
            "lists of equal lengths that end in numbers make a tensor, of at most {MOST_ELEMENTS}"
        ))),
    }
}

fn written(names: &[String], wanted: &[usize], outputs: &[Tensor]) -> Result<Outputs, JobError> {
    let mut fields = Map::new();
    for &place in wanted {
        let (Some(name), Some(tensor)) = (names.get(place), outputs.get(place)) else { continue };
        let count = tensor.elements().len();
        if count > MOST_ELEMENTS {
            let message = format!(
                "the output {name:?} has {count} numbers, {MOST_ELEMENTS} are allowed; ask for others by `outputs`"
            );
            return Err(JobError::new(ErrorKind::Unsupported, message).at("/config/outputs"));
        }
        let (dtype, data) = (tensor.element_type().as_str(), tensor.elements().to_json());
        fields.insert(name.clone(), json!({"shape": tensor.shape(), "dtype": dtype, "data": data}));
    }
    Ok(fields)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tensors_are_read_in_both_forms() {
        let read = |value: Value| tensor_of(&value).map(|given| (given.shape, given.data.len()));
        assert_eq!(read(json!({"shape": [2, 1], "data": [1, 2]})).unwrap(), (vec![2, 1], 2));
        assert_eq!(read(json!([[1, 2, 3], [4, 5, 6]])).unwrap(), (vec![2, 3], 6));
        assert_eq!(read(json!({"data": [[true]]})).unwrap(), (vec![1, 1], 1));
        assert_eq!(read(json!(4.5)).unwrap(), (vec![], 1));
        assert_eq!(read(json!([])).unwrap(), (vec![0], 0));
        for odd in [
            json!([[1], [2, 3]]),
            json!([1, [2]]),
            json!(["1"]),
            json!(null),
            json!({"shape": [-1], "data": []}),
            json!({"shape": [1]}),
        ] {
            assert_eq!(read(odd.clone()).unwrap_err().kind, ErrorKind::InvalidInput, "{odd}");
        }
    }

    #[test]
    fn outputs_are_chosen_by_name_and_bounded() {
        let names = ["a".to_owned(), "b".to_owned()];
        assert_eq!(wanted(None, &names).unwrap(), [0, 1]);
        assert_eq!(wanted(Some(&["b".to_owned()]), &names).unwrap(), [1]);
        assert!(wanted(Some(&["c".to_owned()]), &names).unwrap_err().message.contains("it has a, b"));
        let small = Tensor::new(vec![1, 2], vec![0.5, f32::NAN]).unwrap();
        let large = Tensor::of(vec![MOST_ELEMENTS + 1], vec![0u8; MOST_ELEMENTS + 1]).unwrap();
        let outputs = [small, large];
        let fields = written(&names, &[0], &outputs).unwrap();
        assert_eq!(fields["a"].to_string(), r#"{"shape":[1,2],"dtype":"float32","data":[0.5,null]}"#);
        assert!(written(&names, &[0, 1], &outputs).unwrap_err().message.contains("allowed"));
    }
}
