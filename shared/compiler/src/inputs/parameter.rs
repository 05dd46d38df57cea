//! The value of a `parameter_input`: of its kind, within its limits, in its usual form.

use millrace_blocks::inputs::parameter_input::Config;
use millrace_contracts::Kind;
use millrace_contracts::time::rfc3339;
use millrace_contracts::values::MasksKind;
use serde_json::{Number, Value};

use super::{Wrong, detections, masks, picture};
use crate::logic::{MAX_ITEMS, equal, name_of};
use crate::suggest::one_of;

/// Checks a value against a parameter's configuration.
pub(crate) fn accept(value: Value, config: &Config) -> Result<Value, Wrong> {
    let value = of_kind(value, &config.kind)?;
    if let Some(number) = value.as_f64() {
        if let Some(min) = config.min.filter(|min| number < *min) {
            return Err(Wrong::new(format!("{value} is less than {min}, the least allowed")));
        }
        if let Some(max) = config.max.filter(|max| number > *max) {
            return Err(Wrong::new(format!("{value} is more than {max}, the most allowed")));
        }
    }
    if let Some(choices) = &config.choices
        && !choices.iter().any(|choice| equal::equal(choice, &value))
    {
        let names = choices.iter().map(Value::to_string).collect::<Vec<_>>();
        let mut wrong = Wrong::new("the value is not among the choices");
        wrong.hint = one_of(names.iter().map(String::as_str));
        return Err(wrong);
    }
    Ok(value)
}

/// Lists of lists are as deep as the kind says, so this recursion is bounded by the definition.
fn of_kind(value: Value, kind: &Kind) -> Result<Value, Wrong> {
    let misfit = |value: &Value| Wrong::new(format!("it must be {kind}, and is {}", name_of(value)));
    match (kind, value) {
        (Kind::Any, value) => Ok(value),
        (Kind::String, value @ Value::String(_)) | (Kind::Boolean, value @ Value::Bool(_)) => Ok(value),
        (Kind::Float, Value::Number(number)) => {
            // 5 is 5.0 where a float is asked for: expressions tell the two apart.
            let float = number.as_f64().and_then(Number::from_f64);
            float.map(Value::Number).ok_or_else(|| Wrong::new("the number is out of range"))
        }
        (Kind::Integer, Value::Number(number)) => whole(&number),
        (Kind::Timestamp, Value::String(text)) => match rfc3339::deserialize(Value::from(text.as_str())) {
            Ok(_) => Ok(Value::String(text)),
            Err(_) => {
                Err(Wrong::new("it is not an instant").hint("write it as 2030-01-31T12:00:00Z (RFC 3339)"))
            }
        },
        (Kind::Detections, value) => detections::accept(value),
        (Kind::Mask, value) => masks::accept(value, MasksKind::Mask),
        (Kind::Segments, value) => masks::accept(value, MasksKind::Segments),
        (Kind::Image, value) => picture::one(&value).map(|()| value),
        (Kind::List(inner), Value::Array(items)) => {
            if items.len() > MAX_ITEMS {
                return Err(Wrong::new(format!("{} items, and {MAX_ITEMS} are allowed", items.len())));
            }
            let item = |(position, item)| of_kind(item, inner).map_err(|wrong| wrong.inside(position));
            items.into_iter().enumerate().map(item).collect::<Result<Vec<_>, _>>().map(Value::Array)
        }
        (Kind::List(_), value) => Err(misfit(&value).hint("put it in brackets to make a list of one: [ … ]")),
        (_, value) if crate::passes::kinds::literal_fits(&value, kind) => Ok(value),
        (_, value) => Err(misfit(&value)),
    }
}

/// `3.0` is taken for 3, as some clients write whole numbers so.
fn whole(number: &Number) -> Result<Value, Wrong> {
    if number.is_i64() || number.is_u64() {
        return Ok(Value::Number(number.clone()));
    }
    let float = number.as_f64().filter(|float| float.fract() == 0.0 && float.abs() < 9.0e15);
    float
        .map(|float| Value::from(float as i64))
        .ok_or_else(|| Wrong::new(format!("{number} is not a whole number")))
}
