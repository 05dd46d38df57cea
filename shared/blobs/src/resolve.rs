//! Resolving: every reference in a value is replaced by what it refers to, at any depth. References come from users too: the
//! size of the result is counted for each place a reference stands in, so that a few small blobs cannot unfold into gigabytes.

use std::collections::HashMap;

use futures::{StreamExt, TryStreamExt, stream};
use millrace_contracts::BlobId;
use millrace_contracts::values::ValueRef;
use serde_json::{Map, Value};

use crate::{Blobs, BlobsError};

/// References inside what a reference led to, and so on: no deeper than this.
const MAX_DEPTH: usize = 8;
/// Blobs that are read at the same time.
const READS_AT_ONCE: usize = 8;

/// A value read from the store, with its size as JSON.
struct Loaded {
    value: Value,
    bytes: u64,
}

impl Blobs {
    /// `value` with every reference replaced, those inside of what was referred to included.
    ///
    /// # Errors
    /// `NotFound`, `NotJson`, `TooLarge` when the result would pass the limit, `TooDeep`, `Storage`.
    pub async fn resolve(&self, value: &Value) -> Result<Value, BlobsError> {
        Ok(self.resolve_within(self.max_value_bytes, value).await?.0)
    }

    /// The same field by field, for who would rather see some of it than nothing: a field that cannot be resolved, or does not fit
    /// into the limit beside those before it, stays as it is. The fields that did, with the reason.
    pub async fn resolve_each(&self, fields: &mut Map<String, Value>) -> Vec<(String, BlobsError)> {
        let (mut budget, mut failed) = (self.max_value_bytes, Vec::new());
        for (name, field) in fields {
            match self.resolve_within(budget, field).await {
                Ok((resolved, left)) => (*field, budget) = (resolved, left),
                Err(error) => failed.push((name.clone(), error)),
            }
        }
        failed
    }

    /// `value` resolved, and what is left of the `limit`.
    async fn resolve_within(&self, limit: u64, value: &Value) -> Result<(Value, u64), BlobsError> {
        let mut wanted = ids(value);
        if wanted.is_empty() {
            return Ok((value.clone(), limit));
        }
        let mut loaded: HashMap<BlobId, Loaded> = HashMap::new();
        let mut budget = limit;
        for _ in 0..MAX_DEPTH {
            let found: Vec<(BlobId, Loaded)> = stream::iter(std::mem::take(&mut wanted))
                .map(|id| async move { Ok::<_, BlobsError>((id, self.load(id, budget).await?)) })
                .buffer_unordered(READS_AT_ONCE)
                .try_collect()
                .await?;
            for (id, found) in found {
                budget = self.spend(budget, found.bytes)?;
                wanted.extend(ids(&found.value));
                loaded.insert(id, found);
            }
            wanted.sort_unstable();
            wanted.dedup();
            wanted.retain(|id| !loaded.contains_key(id));
            if wanted.is_empty() {
                let mut unfolding = Unfolding { blobs: self, loaded: &loaded, budget: limit };
                let unfolded = unfolding.unfold(value, 0)?;
                return Ok((unfolded, unfolding.budget));
            }
        }
        Err(BlobsError::TooDeep { limit: MAX_DEPTH })
    }

    /// `value` itself, or what it refers to if it is a reference. References inside stay.
    ///
    /// # Errors
    /// `NotFound`, `NotJson`, `TooLarge`, `Storage`.
    pub async fn resolve_one(&self, value: &Value) -> Result<Value, BlobsError> {
        match ValueRef::from_value(value) {
            Some(reference) => Ok(self.load(reference.blob, self.max_value_bytes).await?.value),
            None => Ok(value.clone()),
        }
    }

    async fn load(&self, id: BlobId, budget: u64) -> Result<Loaded, BlobsError> {
        // Asked before it is read: an image that is passed off as a value may be far larger than any value.
        let bytes = self.head(id).await?.ok_or(BlobsError::NotFound(id))?;
        self.spend(budget, bytes)?;
        let json = self.get(id).await?;
        let value = serde_json::from_slice(&json).map_err(|source| BlobsError::NotJson { id, source })?;
        Ok(Loaded { value, bytes })
    }

    fn spend(&self, budget: u64, bytes: u64) -> Result<u64, BlobsError> {
        budget
            .checked_sub(bytes)
            .ok_or(BlobsError::TooLarge { what: "the value", limit: self.max_value_bytes })
    }
}

/// The blobs that `value` refers to, each once.
fn ids(value: &Value) -> Vec<BlobId> {
    let mut ids: Vec<BlobId> = ValueRef::all_in(value).into_iter().map(|reference| reference.blob).collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

struct Unfolding<'a> {
    blobs: &'a Blobs,
    loaded: &'a HashMap<BlobId, Loaded>,
    budget: u64,
}

impl Unfolding<'_> {
    fn unfold(&mut self, value: &Value, depth: usize) -> Result<Value, BlobsError> {
        if let Some(reference) = ValueRef::from_value(value) {
            if depth == MAX_DEPTH {
                return Err(BlobsError::TooDeep { limit: MAX_DEPTH });
            }
            let found = self.loaded.get(&reference.blob).ok_or(BlobsError::NotFound(reference.blob))?;
            self.budget = self.blobs.spend(self.budget, found.bytes)?;
            return self.unfold(&found.value, depth + 1);
        }
        Ok(match value {
            Value::Array(items) => {
                Value::Array(items.iter().map(|item| self.unfold(item, depth)).collect::<Result<_, _>>()?)
            }
            Value::Object(fields) => Value::Object(
                fields
                    .iter()
                    .map(|(name, field)| Ok((name.clone(), self.unfold(field, depth)?)))
                    .collect::<Result<_, BlobsError>>()?,
            ),
            plain => plain.clone(),
        })
    }
}
