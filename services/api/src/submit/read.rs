//! A submission's request, JSON or multipart, as one draft.

use std::sync::Arc;

use axum::extract::Request;
use millrace_contracts::{Fault, Faults};
use serde_json::{Map, Value, json};
use tokio::sync::OwnedSemaphorePermit;

use super::digest::Digest;
use super::options::{RunOptions, unknown_fields};
use super::parts;
use super::target::Target;
use crate::body::{self, BodyType, Memory};
use crate::form;
use crate::problem::{Code, Problem};
use crate::state::App;

/// Where a submission has from what it runs.
#[derive(Debug)]
pub(crate) enum Source {
    /// It is a saved workflow.
    Saved(Target),
    /// The definition comes along.
    Inline,
    /// The definition comes along, and a request with the same key made a run of this one before.
    Again(Target),
}

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
    /// The definition that came along.
    definition: Option<Value>,
}

impl Source {
    /// What is run, where the request need not say it.
    pub(super) fn saved(&self) -> Option<&Target> {
        match self {
            Self::Saved(target) => Some(target),
            Self::Inline | Self::Again(_) => None,
        }
    }

    /// What a request runs that holds `definition`.
    pub(super) async fn inline(&self, app: &App, definition: &Value) -> Result<Target, Problem> {
        match self {
            Self::Saved(target) | Self::Again(target) => Ok(target.clone()),
            Self::Inline => Target::inline(app, definition).await,
        }
    }
}

impl Draft {
    /// The digest of what is asked for.
    pub(crate) fn digest(&self) -> Digest {
        let digest = match &self.definition {
            Some(definition) => Digest::default().value("workflow", definition),
            None => Digest::default().value("workflow", &json!(self.target.workflow_id)),
        };
        digest.fields("input", &self.input).options(&self.options)
    }
}

/// Reads a submission.
pub(crate) async fn read(app: &Arc<App>, request: Request, source: Source) -> Result<Draft, Problem> {
    match body::body_type(request.headers()) {
        BodyType::Json => read_json(app, request, source).await,
        BodyType::Multipart => read_multipart(app, request, source).await,
        BodyType::Other => Err(body::unsupported("application/json or multipart/form-data")),
    }
}

async fn read_json(app: &App, request: Request, source: Source) -> Result<Draft, Problem> {
    let held = body::object(app, request, body::max_json(app)).await?;
    let mut fields = held.value;
    let mut faults = Faults::default();
    let is_saved = source.saved().is_some();
    let known: &[&str] = if is_saved { &["input"] } else { &["workflow", "input"] };
    let definition = if is_saved { None } else { fields.shift_remove("workflow") };
    let (input, options) = take(&mut fields, Map::new(), known, &mut faults);
    if !is_saved && definition.is_none() {
        faults.push(no_workflow());
    }
    faults.or(()).map_err(|faults| Problem::faults(Code::InvalidRequest, faults))?;
    let target = source.inline(app, definition.as_ref().unwrap_or_default()).await?;
    Ok(Draft { target, input, options, memory: held.memory, definition })
}

async fn read_multipart(app: &Arc<App>, request: Request, source: Source) -> Result<Draft, Problem> {
    let mut memory = Memory::new(app.body_memory.clone());
    let (of, held) = (&source, &mut memory);
    let mut parts = form::read(app, request, move |multipart| parts::read(app, multipart, of, held)).await?;
    let mut faults = Faults::default();
    let (input, options) = take(&mut parts.fields, parts.input, &["input"], &mut faults);
    let target = source.saved().cloned().or(parts.target);
    if target.is_none() {
        faults.push(no_workflow());
    }
    faults.or(()).map_err(|faults| Problem::faults(Code::InvalidRequest, faults))?;
    let target = target.expect("a missing target is a fault, and faults have been answered");
    Ok(Draft { target, input, options, memory: memory.into_permits(), definition: parts.definition })
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
