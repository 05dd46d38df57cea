//! A run's input: what it holds stands in the run's command and in its first event, so large values are stored apart, and more of
//! them until the whole is small enough.

use futures::{StreamExt, TryStreamExt, stream};
use millrace_contracts::values::{json_bytes, marked_to_fetch, to_fetch};
use serde_json::{Map, Value};

use crate::{Blobs, BlobsError};

/// The whole input as JSON, bytes: no event has more than 64 KiB.
const MAX_INPUT_BYTES: usize = 48 * 1024;
/// A value smaller than this stays in the input, bytes: a reference is not much shorter, and the engine reads some by itself,
/// such as the name of a model.
const MIN_STORED_BYTES: usize = 160;
/// A reference as JSON, bytes at most; that of a value to be fetched is inside a mark.
const REFERENCE_BYTES: usize = 128;
/// Values of one input that are stored at once.
const STORED_AT_ONCE: usize = 8;

impl Blobs {
    /// The input with large values stored, each by itself, and more of them until the whole is small enough.
    ///
    /// # Errors
    /// `InputTooLarge` when too much is left that is too small to be stored; `TooLarge`, `Storage`.
    pub async fn claim_check_input(
        &self,
        input: Map<String, Value>,
    ) -> Result<Map<String, Value>, BlobsError> {
        let mut ready = Map::with_capacity(input.len());
        for (name, value) in input {
            ready.insert(name, self.claim_check(value).await?);
        }
        let moved =
            too_much(&ready).map_err(|bytes| BlobsError::InputTooLarge { bytes, limit: MAX_INPUT_BYTES })?;
        let taken: Vec<_> = moved
            .into_iter()
            .filter_map(|name| ready.get_mut(&name).map(Value::take).map(|value| (name, value)))
            .collect();
        let mut stored = stream::iter(taken)
            .map(|(name, value)| async move { Ok::<_, BlobsError>((name, self.by_reference(&value).await?)) })
            .buffer_unordered(STORED_AT_ONCE);
        while let Some((name, reference)) = stored.try_next().await? {
            ready.insert(name, reference);
        }
        drop(stored);
        Ok(ready)
    }

    /// The input as it was before: with the values themselves, so that it can be checked against another version of its workflow.
    ///
    /// # Errors
    /// As [`Blobs::resolve`].
    pub async fn restore_input(&self, input: Map<String, Value>) -> Result<Map<String, Value>, BlobsError> {
        match self.resolve(&Value::Object(input)).await? {
            Value::Object(restored) => Ok(restored),
            _ => Ok(Map::new()),
        }
    }

    /// A reference in the value's place; the mark of pictures to fetch stays around it.
    async fn by_reference(&self, value: &Value) -> Result<Value, BlobsError> {
        Ok(match marked_to_fetch(value) {
            Some(inner) => to_fetch(&self.put_value(inner).await?.to_value()),
            None => self.put_value(value).await?.to_value(),
        })
    }
}

/// The values that have to be stored so that the input is small enough, the largest first; the error is the size that it would
/// have with all of them stored.
fn too_much(input: &Map<String, Value>) -> Result<Vec<String>, usize> {
    let mut sizes: Vec<(usize, &String)> =
        input.iter().map(|(name, value)| (json_bytes(value), name)).collect();
    // Each with its name in quotes, and two signs beside.
    let mut total: usize = sizes.iter().map(|(size, name)| size + name.len() + 4).sum();
    sizes.sort_unstable_by(|one, other| other.cmp(one));
    let mut stored = Vec::new();
    for (size, name) in sizes {
        if total <= MAX_INPUT_BYTES || size < MIN_STORED_BYTES {
            break;
        }
        total -= size - REFERENCE_BYTES;
        stored.push(name.clone());
    }
    if total <= MAX_INPUT_BYTES { Ok(stored) } else { Err(total) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn of_many_values_the_largest_are_stored() {
        let small = Map::from_iter((0..20).map(|n| (format!("n{n}"), json!("x".repeat(2_000)))));
        assert_eq!(too_much(&small), Ok(vec![]));
        let mut many = Map::from_iter((0..11).map(|n| (format!("n{n}"), json!("x".repeat(4_000)))));
        many.extend((0..100).map(|n| (format!("number{n}"), json!(n))));
        many.insert("largest".to_owned(), json!(vec!["y"; 1_900]));
        assert_eq!(too_much(&many), Ok(vec!["largest".to_owned()]));
        // Nothing is gained by storing these.
        let tiny = Map::from_iter((0..400).map(|n| (format!("n{n}"), json!("x".repeat(150)))));
        assert!(too_much(&tiny).unwrap_err() > MAX_INPUT_BYTES);
    }
}
