//! A multipart submission: a part `request` or `input` with JSON, files named after inputs, and other inputs as text. Files go
//! to the blob store as they arrive and are never in memory whole.

use axum::extract::multipart::{Field, Multipart};
use millrace_contracts::{Fault, Kind};
use serde_json::{Map, Value};

use super::read::Source;
use super::target::Target;
use crate::body::{self, Memory};
use crate::form;
use crate::problem::{Code, Problem};
use crate::state::App;

/// Parts of one body.
const MAX_PARTS: usize = 10_000;

/// What a multipart body held.
#[derive(Debug, Default)]
pub(super) struct Parts {
    /// The fields of the `request` part.
    pub(super) fields: Map<String, Value>,
    /// The input, from the `input` part, files and text parts.
    pub(super) input: Map<String, Value>,
    /// What is run, where the `request` part said so.
    pub(super) target: Option<Target>,
    /// The definition it held.
    pub(super) definition: Option<Value>,
}

/// Reads the whole body. Where no workflow is saved, the first part must be a `request` that holds one.
pub(super) async fn read(
    app: &App,
    mut multipart: Multipart,
    source: &Source,
    memory: &mut Memory,
) -> Result<Parts, Problem> {
    let mut parts = Parts::default();
    for _ in 0..MAX_PARTS {
        let Some(field) = multipart.next_field().await.map_err(form::broken)? else { return Ok(parts) };
        let name = field.name().unwrap_or_default().to_owned();
        let is_file = field.file_name().is_some();
        let target = source.saved().or(parts.target.as_ref());
        // Some clients give every part that they read from a file the file's name.
        let is_own = !is_file || !target.is_some_and(|target| has_input(target, &name));
        match name.as_str() {
            "request" if is_own => {
                let text = form::text(app, field, memory).await?;
                parts.fields = body::into_object(body::parse(&text)?, "")?;
                if source.saved().is_none() {
                    let definition = parts.fields.shift_remove("workflow").unwrap_or_default();
                    parts.target = Some(source.inline(app, &definition).await?);
                    parts.definition = Some(definition);
                }
            }
            "input" if is_own => {
                let text = form::text(app, field, memory).await?;
                parts.input.extend(body::into_object(body::parse(&text)?, "/input")?);
            }
            _ => {
                let Some(target) = target else { return Err(request_first()) };
                let value = value(app, field, target, is_file, memory).await?;
                add(&mut parts.input, name, value);
            }
        }
    }
    Err(Problem::new(Code::InvalidRequest, format!("a multipart body may have at most {MAX_PARTS} parts")))
}

fn has_input(target: &Target, name: &str) -> bool {
    target.compiled.inputs.iter().any(|spec| spec.name.as_str() == name)
}

/// A part repeated is a list; a list repeated is a longer one.
fn add(input: &mut Map<String, Value>, name: String, value: Value) {
    match (input.get_mut(&name), value) {
        (None, value) => drop(input.insert(name, value)),
        (Some(Value::Array(items)), Value::Array(more)) => items.extend(more),
        (Some(Value::Array(items)), value) => items.push(value),
        (Some(one), value) => {
            let first = one.take();
            *one = Value::Array(vec![first, value]);
        }
    }
}

/// The value of an input's part: a stored file, or text read as the input's kind asks.
async fn value(
    app: &App,
    field: Field<'_>,
    target: &Target,
    is_file: bool,
    memory: &mut Memory,
) -> Result<Value, Problem> {
    let name = field.name().unwrap_or_default();
    let spec = target.compiled.inputs.iter().find(|spec| spec.name.as_str() == name);
    let kind = spec.map_or(Kind::Any, |spec| spec.kind.clone());
    let is_list = kind == Kind::list(Kind::Image);
    let is_image = is_list || kind == Kind::Image;
    if is_file && is_image {
        let picture = Value::String(format!("blob:{}", form::file(app, field).await?));
        return Ok(if is_list { Value::Array(vec![picture]) } else { picture });
    }
    let text = form::text(app, field, memory).await?;
    let as_text = || Value::String(String::from_utf8_lossy(&text).into_owned());
    if is_image || kind == Kind::String {
        return Ok(as_text());
    }
    Ok(serde_json::from_slice(&text).unwrap_or_else(|_| as_text()))
}

fn request_first() -> Problem {
    let fault =
        Fault::new("MISSING_FIELD", "/workflow", "the part `request`, with the workflow, must come first");
    Problem::fault(
        Code::InvalidRequest,
        fault.hint("send -F 'request={\"workflow\": {…}};type=application/json', or -F request=@FILE, before the files"),
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_repeated_part_makes_a_list() {
        let mut input = Map::new();
        for (at, name) in ["a", "b", "a", "a"].into_iter().enumerate() {
            add(&mut input, name.to_owned(), json!(at));
        }
        assert_eq!(Value::Object(input), json!({"a": [0, 2, 3], "b": 1}));
    }
}
