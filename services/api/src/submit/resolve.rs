//! A run's input, made ready: pictures become image values, the compiler checks and completes the rest, and what is too large
//! for the bus goes into the blob store.

use futures::{StreamExt, stream};
use millrace_compiler::InputSpec;
use millrace_contracts::fault::pointer_token;
use millrace_contracts::{Fault, Faults, Kind};
use serde_json::{Map, Value};

use super::images::{self, Limits, Refusal};
use crate::plans::Compiled;
use crate::problem::{Code, Problem};
use crate::state::App;

/// Pictures of one request that are worked on at once.
const IMAGES_AT_ONCE: usize = 8;
/// Pictures in one list.
const MAX_IMAGES: usize = 10_000;

/// A picture of the input that is yet to be resolved.
struct Pending<'a> {
    spec: &'a InputSpec,
    value: Value,
    pointer: String,
}

/// The input as the engine wants it; `at` is its place in the request, such as `/input`.
///
/// # Errors
/// `INVALID_INPUT` with every mistake in it, or trouble of ours.
pub(crate) async fn resolve(
    app: &App,
    compiled: &Compiled,
    mut input: Map<String, Value>,
    at: &str,
) -> Result<Map<String, Value>, Problem> {
    let mut faults = Faults::default();
    let mut images = Map::new();
    for spec in &compiled.inputs {
        let name = spec.name.as_str();
        let Some(value) = takes_images(spec).then(|| input.shift_remove(name)).flatten() else { continue };
        if value.is_null() {
            continue;
        }
        match pictures(app, spec, value, at).await? {
            Ok(value) => drop(images.insert(name.to_owned(), value)),
            Err(found) => faults.0.extend(found),
        }
    }
    let at_fault: Vec<_> = faults.0.iter().filter_map(|fault| fault.node.clone()).collect();
    input.extend(images);
    let checked = match compiled.plan.check_input(&input) {
        Ok(checked) => checked,
        Err(more) => {
            // What was refused above is not "missing" as well.
            let fresh = more.0.into_iter().filter(|fault| {
                !fault.node.as_ref().is_some_and(|node| at_fault.contains(node))
                    && !at_fault
                        .iter()
                        .any(|node| fault.pointer == format!("/input/{}", pointer_token(node.as_str())))
            });
            faults.0.extend(fresh.map(|fault| moved(fault, at)));
            Map::new()
        }
    };
    faults.or(()).map_err(|faults| Problem::faults(Code::InvalidInput, faults))?;
    claim_check(app, checked).await
}

/// The compiler speaks of `/input`; in a batch it stands elsewhere.
fn moved(mut fault: Fault, at: &str) -> Fault {
    if let Some(rest) = fault.pointer.strip_prefix("/input") {
        fault.pointer = format!("{at}{rest}");
    }
    fault
}

fn takes_images(spec: &InputSpec) -> bool {
    spec.kind == Kind::Image || spec.kind == Kind::list(Kind::Image)
}

/// The image value or values that one input names; the inner error is the caller's.
async fn pictures(
    app: &App,
    spec: &InputSpec,
    value: Value,
    at: &str,
) -> Result<Result<Value, Vec<Fault>>, Problem> {
    let pointer = format!("{at}/{}", pointer_token(spec.name.as_str()));
    let wants_list = spec.kind != Kind::Image;
    let items = match value {
        Value::Array(items) if wants_list => items,
        Value::Array(_) => {
            let fault =
                Fault::new("INVALID_INPUT", pointer, "one picture is wanted here, not a list").on(&spec.name);
            return Ok(Err(vec![fault.hint("send one picture, or give the input node `\"list\": true`")]));
        }
        one if wants_list => vec![one],
        one => {
            let image = one_picture(app, Pending { spec, value: one, pointer }).await;
            return sort(vec![image]).map(|sorted| sorted.map(|mut values| values.remove(0)));
        }
    };
    if items.len() > MAX_IMAGES {
        let message = format!("a list of at most {MAX_IMAGES} pictures is taken");
        return Ok(Err(vec![Fault::new("INVALID_INPUT", pointer, message).on(&spec.name)]));
    }
    let pending = items.into_iter().enumerate().map(|(index, value)| {
        one_picture(app, Pending { spec, value, pointer: format!("{pointer}/{index}") })
    });
    let resolved: Vec<_> = stream::iter(pending).buffered(IMAGES_AT_ONCE).collect().await;
    sort(resolved).map(|sorted| sorted.map(Value::Array))
}

async fn one_picture(app: &App, pending: Pending<'_>) -> Result<Value, Refusal> {
    let Pending { spec, value, pointer } = pending;
    let limits = Limits { config: spec.image.as_ref(), max_pixels: app.settings.max_pixels };
    match images::resolve(app, value, &pointer, limits).await {
        Ok(image) => Ok(image.to_value()),
        Err(Refusal::Fault(fault)) => Err(Refusal::Fault(fault.on(&spec.name))),
        Err(problem) => Err(problem),
    }
}

/// Our trouble goes before the caller's mistakes.
fn sort(resolved: Vec<Result<Value, Refusal>>) -> Result<Result<Vec<Value>, Vec<Fault>>, Problem> {
    let (mut values, mut faults) = (Vec::with_capacity(resolved.len()), Vec::new());
    for result in resolved {
        match result {
            Ok(value) => values.push(value),
            Err(Refusal::Fault(fault)) => faults.push(fault),
            Err(Refusal::Problem(problem)) => return Err(problem),
        }
    }
    Ok(if faults.is_empty() { Ok(values) } else { Err(faults) })
}

async fn claim_check(app: &App, input: Map<String, Value>) -> Result<Map<String, Value>, Problem> {
    let mut ready = Map::with_capacity(input.len());
    for (name, value) in input {
        ready.insert(name, app.blobs.claim_check(value).await?);
    }
    Ok(ready)
}
