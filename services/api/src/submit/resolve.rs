//! A run's input, made ready: pictures become image values, the compiler checks and completes the rest, and what is too large
//! for the bus goes into the blob store: each value that is, and of many small ones together the largest.

use futures::{StreamExt, stream};
use millrace_blobs::BlobsError;
use millrace_compiler::InputSpec;
use millrace_contracts::fault::pointer_token;
use millrace_contracts::values::{ValueRef, marked_to_fetch, to_fetch};
use millrace_contracts::{Fault, Faults, Kind, NodeId};
use serde_json::{Map, Value};
use tokio::sync::SemaphorePermit;

use super::images::{self, Limits, Refusal, Resolved};
use crate::body::{max_json, type_name};
use crate::plans::Compiled;
use crate::problem::{Code, Problem};
use crate::state::App;

/// Pictures of one request that are worked on at once.
const IMAGES_AT_ONCE: usize = 8;
/// Pictures of one input.
const MAX_IMAGES: usize = 10_000;

/// A picture of the input that is yet to be resolved.
struct Pending {
    /// Its place below the input's value.
    below: String,
    value: Value,
}

/// The input as the engine wants it; `at` is its place in the request, such as `/input`.
///
/// # Errors
/// `INVALID_INPUT` with every mistake in it, or trouble of ours.
pub(crate) async fn resolve(
    app: &App,
    compiled: &Compiled,
    input: Map<String, Value>,
    at: &str,
) -> Result<Map<String, Value>, Problem> {
    let (input, _turn) = restored(app, compiled, input, at).await?;
    let input = unmarked(input);
    // The compiler first: it fills in defaults, which may be pictures too. Its mistakes do not hide those in pictures.
    let (mut input, mut faults) = match compiled.plan.check_input(&input) {
        Ok(checked) => (checked, Faults::default()),
        Err(faults) => (input, Faults(faults.0.into_iter().map(|fault| moved(fault, at)).collect())),
    };
    let known: Vec<_> = faults.0.iter().filter_map(|fault| fault.node.clone()).collect();
    for spec in compiled.inputs.iter().filter(|spec| takes_images(spec) && !known.contains(&spec.name)) {
        let Some(slot) = input.get_mut(spec.name.as_str()).filter(|value| !value.is_null()) else { continue };
        match pictures(app, spec, slot.take(), at).await? {
            Ok(value) => *slot = value,
            Err(found) => faults.0.extend(found),
        }
    }
    faults.or(()).map_err(|faults| Problem::faults(Code::InvalidInput, faults))?;
    claim_check(app, input, at).await
}

/// The input with what was stored apart put back, where an input of a kind takes it: that looks at the value itself. An answer of
/// ours holds such references, and comes back when a schedule is changed, or a run's input is sent once more.
///
/// What is put back may take as much memory as the largest body, and no body's allowance covers it: only few have their turn at
/// once, until their input is made ready.
async fn restored<'a>(
    app: &'a App,
    compiled: &Compiled,
    mut input: Map<String, Value>,
    at: &str,
) -> Result<(Map<String, Value>, Option<SemaphorePermit<'a>>), Problem> {
    let mut apart = Map::new();
    for spec in compiled.inputs.iter().filter(|spec| spec.kind != Kind::Any) {
        if let Some(value) = input.get_mut(spec.name.as_str())
            && !ValueRef::all_in(value).is_empty()
        {
            apart.insert(spec.name.to_string(), value.take());
        }
    }
    if apart.is_empty() {
        return Ok((input, None));
    }
    let turn = app.restores.acquire().await.expect("nobody closes the turns");
    let mut faults = Faults::default();
    for (name, error) in app.blobs.resolve_each_within(&mut apart, max_json(app)).await {
        if error.is_retryable() {
            return Err(error.into());
        }
        let fault = Fault::new("INVALID_INPUT", format!("{at}/{}", pointer_token(&name)), error.to_string());
        faults.push(fault.hint("send the value itself").on(&NodeId::from(name.as_str())));
    }
    faults.or(()).map_err(|faults| Problem::faults(Code::InvalidInput, faults))?;
    input.extend(apart);
    Ok((input, Some(turn)))
}

/// The input as it was before its pictures by URL were marked, where it was resolved before.
fn unmarked(mut input: Map<String, Value>) -> Map<String, Value> {
    for value in input.values_mut() {
        if let Some(inner) = marked_to_fetch(value) {
            *value = inner.clone();
        }
    }
    input
}

/// The compiler speaks of `/input`; in a batch it stands elsewhere.
fn moved(mut fault: Fault, at: &str) -> Fault {
    if let Some(rest) = fault.pointer.strip_prefix("/input") {
        fault.pointer = format!("{at}{rest}");
    }
    fault
}

fn takes_images(spec: &InputSpec) -> bool {
    let mut kind = &spec.kind;
    while let Some(element) = kind.element() {
        kind = element;
    }
    *kind == Kind::Image
}

/// The value of one input with its pictures resolved; the inner error is the caller's.
async fn pictures(
    app: &App,
    spec: &InputSpec,
    mut value: Value,
    at: &str,
) -> Result<Result<Value, Vec<Fault>>, Problem> {
    let pointer = format!("{at}/{}", pointer_token(spec.name.as_str()));
    let mut pending = Vec::new();
    if let Err(fault) = take_pictures(&spec.kind, &mut value, (&pointer, String::new()), &mut pending) {
        return Ok(Err(vec![fault.on(&spec.name)]));
    }
    let limits = Limits { config: spec.image.as_ref(), max_pixels: app.settings.max_pixels };
    let resolved = stream::iter(pending)
        .map(|Pending { below, value }| {
            let place = format!("{pointer}{below}");
            async move { (below, images::resolve(app, value, &place, limits).await) }
        })
        .buffered(IMAGES_AT_ONCE)
        .collect::<Vec<_>>()
        .await;
    let (mut faults, mut has_urls) = (Vec::new(), false);
    for (below, result) in resolved {
        let mut put =
            |picture| *value.pointer_mut(&below).expect("the picture was taken from there") = picture;
        match result {
            Ok(Resolved::Image(image)) => put(image.to_value()),
            Ok(Resolved::Url(url)) => {
                has_urls = true;
                put(url.to_value());
            }
            Err(Refusal::Fault(fault)) => faults.push(fault.on(&spec.name)),
            // Our trouble goes before the caller's mistakes.
            Err(Refusal::Problem(problem)) => return Err(problem),
        }
    }
    if has_urls {
        // Inside the mark: the engine looks at that, and at nothing in it.
        value = to_fetch(&app.blobs.claim_check(value).await?);
    }
    Ok(if faults.is_empty() { Ok(value) } else { Err(faults) })
}

/// Takes every picture out of a value of this kind, leaving null in its place.
fn take_pictures(
    kind: &Kind,
    value: &mut Value,
    (at, below): (&str, String),
    pending: &mut Vec<Pending>,
) -> Result<(), Fault> {
    let place = || format!("{at}{below}");
    match (kind.element(), value) {
        (Some(element), Value::Array(items)) => {
            for (index, item) in items.iter_mut().enumerate() {
                take_pictures(element, item, (at, format!("{below}/{index}")), pending)?;
            }
            Ok(())
        }
        (Some(_), other) => {
            let message = format!("a list of pictures is wanted here, not {}", type_name(other));
            Err(Fault::new("INVALID_INPUT", place(), message))
        }
        (None, Value::Array(_)) => {
            let fault = Fault::new("INVALID_INPUT", place(), "one picture is wanted here, not a list");
            Err(fault.hint("send one picture, or give the input node `\"list\": true`"))
        }
        (None, _) if pending.len() == MAX_IMAGES => {
            Err(Fault::new("INVALID_INPUT", at, format!("an input takes at most {MAX_IMAGES} pictures")))
        }
        (None, one) => {
            let value = one.take();
            pending.push(Pending { below, value });
            Ok(())
        }
    }
}

/// The input with large values stored.
async fn claim_check(app: &App, input: Map<String, Value>, at: &str) -> Result<Map<String, Value>, Problem> {
    let inputs = input.len();
    app.blobs.claim_check_input(input).await.map_err(|error| match error {
        BlobsError::InputTooLarge { bytes, limit } => too_many(inputs, (bytes, limit), at),
        error => error.into(),
    })
}

fn too_many(inputs: usize, (bytes, limit): (usize, usize), at: &str) -> Problem {
    let message = format!(
        "these {inputs} inputs take {bytes} bytes beside what is stored apart, and a run's may take {limit}"
    );
    let fault = Fault::new("INVALID_INPUT", at, message);
    Problem::fault(
        Code::InvalidInput,
        fault.hint("put small values together into one input, as a list or an object"),
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn taken(kind: &str, mut value: Value) -> Result<Vec<String>, String> {
        let mut pending = Vec::new();
        let taken =
            take_pictures(&kind.parse().unwrap(), &mut value, ("/input/photo", String::new()), &mut pending);
        taken.map(|()| pending.into_iter().map(|one| one.below).collect()).map_err(|fault| fault.pointer)
    }

    #[test]
    fn pictures_are_found_at_the_depth_of_the_kind() {
        assert_eq!(taken("image", json!("a")).unwrap(), [""]);
        assert_eq!(taken("list<image>", json!(["a", "b"])).unwrap(), ["/0", "/1"]);
        assert_eq!(
            taken("list<list<image>>", json!([["a"], [], ["b", "c"]])).unwrap(),
            ["/0/0", "/2/0", "/2/1"]
        );
    }

    #[test]
    fn a_list_is_no_picture_and_a_picture_no_list() {
        assert_eq!(taken("image", json!(["a"])).unwrap_err(), "/input/photo");
        assert_eq!(taken("list<list<image>>", json!([["a"], "b"])).unwrap_err(), "/input/photo/1");
    }
}
