//! A submission's request, JSON or multipart, as one draft.

use std::sync::Arc;

use axum::extract::Request;
use millrace_contracts::{Fault, Faults};
use serde_json::{Map, Value};
use tokio::sync::OwnedSemaphorePermit;

use super::options::{RunOptions, unknown_fields};
use super::parts;
use super::target::Target;
use crate::body::{self, BodyType, Memory};
use crate::form;
use crate::problem::{Code, Problem};
use crate::state::App;

/// A submission as it was sent, its own fields checked.
pub(crate) struct Draft {
    /// What is run.
    pub(crate) target: Target,
    /// The input, pictures still as they were named.
    pub(crate) input: Map<String, Value>,
    /// How it is to be run.
    pub(crate) options: RunOptions,
    /// The memory it takes up, given back when the draft is done with.
    pub(crate) memory: Vec<OwnedSemaphorePermit>,
}

/// Reads a submission. Without a `target` the request holds the workflow.
pub(crate) async fn read(app: &Arc<App>, request: Request, target: Option<Target>) -> Result<Draft, Problem> {
    match body::body_type(request.headers()) {
        BodyType::Json => read_json(app, request, target).await,
        BodyType::Multipart => read_multipart(app, request, target).await,
        BodyType::Other => Err(body::unsupported("application/json or multipart/form-data")),
    }
}

async fn read_json(app: &App, request: Request, target: Option<Target>) -> Result<Draft, Problem> {
    let held = body::object(app, request, body::max_json(app)).await?;
    let mut fields = held.value;
    let mut faults = Faults::default();
    let known: &[&str] = if target.is_some() { &["input"] } else { &["workflow", "input"] };
    let definition = if target.is_none() { fields.shift_remove("workflow") } else { None };
    let (input, options) = take(&mut fields, Map::new(), known, &mut faults);
    let target = match (target, definition) {
        (Some(target), _) => target,
        (None, Some(definition)) => {
            faults.or(()).map_err(|faults| Problem::faults(Code::InvalidRequest, faults))?;
            let target = Target::inline(app, &definition).await?;
            return Ok(Draft { target, input, options, memory: held.memory });
        }
        (None, None) => {
            faults.push(no_workflow());
            return Err(Problem::faults(Code::InvalidRequest, faults));
        }
    };
    faults.or(()).map_err(|faults| Problem::faults(Code::InvalidRequest, faults))?;
    Ok(Draft { target, input, options, memory: held.memory })
}

async fn read_multipart(app: &Arc<App>, request: Request, target: Option<Target>) -> Result<Draft, Problem> {
    let multipart = form::open(app, request).await?;
    let mut memory = Memory::new(app.body_memory.clone());
    let mut parts = parts::read(app, multipart, target.as_ref(), &mut memory).await?;
    let mut faults = Faults::default();
    let (input, options) = take(&mut parts.fields, parts.input, &["input"], &mut faults);
    let target = target.or(parts.target);
    if target.is_none() {
        faults.push(no_workflow());
    }
    faults.or(()).map_err(|faults| Problem::faults(Code::InvalidRequest, faults))?;
    let target = target.expect("a missing target is a fault, and faults have been answered");
    Ok(Draft { target, input, options, memory: memory.into_permits() })
}

/// Takes the input and the options out of a request's fields; `parts` are inputs that came beside them and go first.
fn take(
    fields: &mut Map<String, Value>,
    parts: Map<String, Value>,
    known: &[&str],
    faults: &mut Faults,
) -> (Map<String, Value>, RunOptions) {
    let mut input = match fields.shift_remove("input") {
        None | Some(Value::Null) => Map::new(),
        Some(Value::Object(input)) => input,
        Some(other) => {
            let message = format!("`input` is an object of inputs by name, not {}", body::type_name(&other));
            faults.push(Fault::new("INVALID_TYPE", "/input", message));
            Map::new()
        }
    };
    input.extend(parts);
    let options = RunOptions::take(fields, faults);
    unknown_fields(fields, known, faults);
    (input, options)
}

fn no_workflow() -> Fault {
    Fault::new("MISSING_FIELD", "/workflow", "there is no `workflow`")
        .hint("send {\"workflow\": {…}, \"input\": {…}}, or run a saved one at /api/v1/workflows/{id}/run")
}
