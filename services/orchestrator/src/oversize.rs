//! No event and no job is larger than the bus allows: what outgrows it has its values moved to the blob store, as far as that
//! takes them. A worker resolves what a job refers to before it begins; jobs of one loop mostly refer to the same.

use millrace_blobs::Blobs;
use millrace_contracts::{Event, Job};
use serde_json::{Map, Value};

use crate::OrchestratorError;

/// The most an event or a job may weigh on the bus, bytes; a little under 64 KiB leaves room for the envelope.
const LIMIT_BYTES: usize = 60 * 1024;
/// In a job that is too large, smaller values stay: a reference would take about as much.
const MOVED_BYTES: usize = 512;
/// Values moved last, remembered: a loop sends thousands of jobs with the same configuration.
const REMEMBERED: usize = 8;

/// Moves the outputs of events that are too large into the blob store.
pub(crate) async fn check(blobs: &Blobs, events: &mut [Event]) -> Result<(), OrchestratorError> {
    for event in events {
        if is_small(&event.data) || weight(&event.data) <= LIMIT_BYTES {
            continue;
        }
        if let Some(outputs) = event.data.get_mut("outputs")
            && let Some(reference) = put(blobs, outputs).await?
        {
            *outputs = reference;
        }
    }
    Ok(())
}

/// Moves inputs and settings of jobs that are too large into the blob store, and of those that follow them in one hand.
pub(crate) async fn check_jobs<'a>(
    blobs: &Blobs,
    jobs: impl Iterator<Item = &'a mut Job>,
) -> Result<(), OrchestratorError> {
    let mut moved = Moved { blobs, known: Vec::new() };
    for job in jobs {
        if fields(job).map(|fields| at_least(fields.values())).sum::<usize>() <= LIMIT_BYTES {
            continue;
        }
        moved.out_of(&mut job.inputs).await?;
        moved.out_of(&mut job.config).await?;
        for next in &mut job.then {
            moved.out_of(&mut next.inputs).await?;
            moved.out_of(&mut next.config).await?;
        }
    }
    Ok(())
}

fn fields(job: &Job) -> impl Iterator<Item = &Map<String, Value>> {
    let then = job.then.iter().flat_map(|next| [&next.inputs, &next.config]);
    [&job.inputs, &job.config].into_iter().chain(then)
}

/// Values on their way out, each with what stands for it.
struct Moved<'b> {
    blobs: &'b Blobs,
    known: Vec<(Value, Value)>,
}

impl Moved<'_> {
    async fn out_of(&mut self, fields: &mut Map<String, Value>) -> Result<(), OrchestratorError> {
        for value in fields.values_mut().filter(|value| at_least([&**value]) > MOVED_BYTES) {
            if let Some((_, reference)) = self.known.iter().find(|(known, _)| known == value) {
                *value = reference.clone();
                continue;
            }
            let Some(reference) = put(self.blobs, value).await? else { continue };
            if self.known.len() == REMEMBERED {
                self.known.remove(0);
            }
            self.known.push((std::mem::replace(value, reference.clone()), reference));
        }
        Ok(())
    }
}

/// What stands for `value` from now on. None where the blob store will never take it, such as one over `blobs.max_value`: it
/// stays where it is, since a run that waited for that would never end.
async fn put(blobs: &Blobs, value: &Value) -> Result<Option<Value>, OrchestratorError> {
    match blobs.put_value(value).await {
        Ok(reference) => Ok(Some(reference.to_value())),
        Err(error) if error.is_retryable() => Err(error.into()),
        Err(error) => {
            tracing::debug!(%error, "a large value stays where it is");
            Ok(None)
        }
    }
}

/// What values weigh as JSON, roughly and without writing it: text counts with what stands around it.
fn at_least<'v>(values: impl IntoIterator<Item = &'v Value>) -> usize {
    let weight = |value: &Value| match value {
        Value::String(text) => text.len() + 3,
        Value::Array(items) => at_least(items) + 2,
        Value::Object(fields) => {
            at_least(fields.values()) + fields.keys().map(|name| name.len() + 4).sum::<usize>()
        }
        Value::Number(_) => 8,
        Value::Null | Value::Bool(_) => 5,
    };
    values.into_iter().map(weight).sum()
}

/// A cheap first look: few values cannot be large, since each is under the inline limit.
fn is_small(data: &Value) -> bool {
    data.get("outputs").and_then(Value::as_object).is_none_or(|outputs| outputs.is_empty())
}

fn weight(data: &Value) -> usize {
    serde_json::to_vec(data).map_or(usize::MAX, |json| json.len())
}
