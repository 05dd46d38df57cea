//! The entrance of a call: the called workflow's inputs, checked and completed as those of a run are.

use millrace_blocks::inputs::image_input::Config;
use millrace_contracts::fault::pointer_token;
use millrace_contracts::values::{ImageValue, ValueRef};
use millrace_contracts::{ErrorKind, JobError, Kind};
use serde_json::Value;

use super::{Call, Ports};
use crate::inputs::{InputSpec, Wrong};

/// The inputs of a called workflow.
#[derive(Debug)]
pub struct Entrance {
    pub(crate) inputs: Vec<InputSpec>,
    /// Whether some input has to be looked into: what is known to fit, as far as it is stored apart, is handed on unread.
    pub(crate) reads: bool,
}

impl Entrance {
    pub(super) fn evaluate(&self, call: &Call<'_>) -> Result<Ports, JobError> {
        let mut ports = Ports::default();
        for input in &self.inputs {
            let value = value_of(input, call).map_err(|wrong| {
                let name = pointer_token(input.name.as_str());
                let message = format!("the input `{}` of the called workflow: {}", input.name, wrong.message);
                JobError::new(ErrorKind::InvalidInput, message).at(format!("/inputs/{name}{}", wrong.below))
            })?;
            // A picture that may be left out, and is, is a port that is not taken.
            if value.is_null() && input.is_picture() {
                ports.skipped.push(input.name.to_string());
            } else {
                ports.values.insert(input.name.to_string(), value);
            }
        }
        Ok(ports)
    }
}

fn value_of(input: &InputSpec, call: &Call<'_>) -> Result<Value, Wrong> {
    let given = call.inputs.get(input.name.as_str()).filter(|value| !value.is_null()).cloned();
    let Some(value) = given.or_else(|| input.default_value()) else {
        return Err(Wrong::new("it is null, and has no default"));
    };
    if value.is_null() || !ValueRef::all_in(&value).is_empty() {
        return Ok(value);
    }
    let value = input.accept(value)?;
    check_pictures(&value, &input.kind, input)?;
    Ok(value)
}

/// At a run's door pictures may be named in many ways; here they are image values, within the input's limits.
fn check_pictures(value: &Value, kind: &Kind, input: &InputSpec) -> Result<(), Wrong> {
    match (kind, value) {
        (Kind::List(inner), Value::Array(items)) => {
            let each = |(place, item)| {
                check_pictures(item, inner, input).map_err(|wrong: Wrong| wrong.inside(place))
            };
            items.iter().enumerate().try_for_each(each)
        }
        (Kind::Image, value) => {
            let image = ImageValue::from_value(value).ok_or_else(|| Wrong::new("this is no image value"))?;
            input.image.as_ref().map_or(Ok(()), |limits| check_picture(&image, limits))
        }
        _ => Ok(()),
    }
}

fn check_picture(image: &ImageValue, limits: &Config) -> Result<(), Wrong> {
    let pixels = u64::from(image.width) * u64::from(image.height);
    if pixels > limits.max_pixels {
        let most = limits.max_pixels;
        return Err(Wrong::new(format!("the picture has {pixels} pixels, and {most} are allowed")));
    }
    let wanted = limits.format.map(|format| format.as_str());
    match wanted.filter(|wanted| *wanted != image.format) {
        Some(wanted) => {
            Err(Wrong::new(format!("this is a {} picture, and the input takes {wanted} only", image.format)))
        }
        None => Ok(()),
    }
}
