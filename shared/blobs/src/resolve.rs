//! Resolving: every reference in a value is replaced by what it refers to, at any depth. References come from users too: sizes
//! are asked for and counted before anything is read, and the size of the result is counted for each place a reference stands in,
//! so that neither many blobs nor a few small ones can become gigabytes.

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

/// What values may take up, and what is left of that, bytes of JSON.
#[derive(Debug, Clone, Copy)]
struct Budget {
    limit: u64,
    left: u64,
}

impl Budget {
    fn new(limit: u64) -> Self {
        Self { limit, left: limit }
    }

    fn spend(&mut self, bytes: u64) -> Result<(), BlobsError> {
        let left = self.left.checked_sub(bytes);
        self.left = left.ok_or(BlobsError::TooLarge { what: "the value", limit: self.limit })?;
        Ok(())
    }
}

impl Blobs {
    /// `value` with every reference replaced, those inside of what was referred to included.
    ///
    /// # Errors
    /// `NotFound`, `NotJson`, `TooLarge` when the result would pass the limit, `TooDeep`, `Storage`.
    pub async fn resolve(&self, value: &Value) -> Result<Value, BlobsError> {
        Ok(self.resolve_within(Budget::new(self.max_value_bytes), value).await?.0)
    }

    /// The same field by field, for who would rather see some of it than nothing: a field that cannot be resolved, or does not fit
    /// into the limit beside those before it, stays as it is. The fields that did, with the reason.
    pub async fn resolve_each(&self, fields: &mut Map<String, Value>) -> Vec<(String, BlobsError)> {
        self.resolve_each_within(fields, self.max_value_bytes).await
    }

    /// The same, where all fields together may take `limit` bytes, if that is less than a value may have.
    pub async fn resolve_each_within(
        &self,
        fields: &mut Map<String, Value>,
        limit: u64,
    ) -> Vec<(String, BlobsError)> {
        let (mut budget, mut failed) = (Budget::new(limit.min(self.max_value_bytes)), Vec::new());
        for (name, field) in fields {
            match self.resolve_within(budget, field).await {
                Ok((resolved, left)) => (*field, budget) = (resolved, left),
                Err(error) => failed.push((name.clone(), error)),
            }
        }
        failed
    }

    /// `value` resolved, and what is left of the budget.
    async fn resolve_within(&self, whole: Budget, value: &Value) -> Result<(Value, Budget), BlobsError> {
        let mut wanted = ids(value);
        if wanted.is_empty() {
            return Ok((value.clone(), whole));
        }
        let mut loaded: HashMap<BlobId, Loaded> = HashMap::new();
        let mut budget = whole;
        for _ in 0..MAX_DEPTH {
            let found = self.load_all(std::mem::take(&mut wanted), &mut budget).await?;
            for (id, found) in found {
                wanted.extend(ids(&found.value));
                loaded.insert(id, found);
            }
            wanted.sort_unstable();
            wanted.dedup();
            wanted.retain(|id| !loaded.contains_key(id));
            if wanted.is_empty() {
                let mut unfolding = Unfolding { loaded: &loaded, budget: whole };
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
        let Some(reference) = ValueRef::from_value(value) else { return Ok(value.clone()) };
        let bytes = self.size(reference.blob).await?;
        Budget::new(self.max_value_bytes).spend(bytes)?;
        Ok(self.load(reference.blob, bytes).await?.value)
    }

    /// Loads `wanted`. None of them is read before all are counted: an image that is passed off as a value may be far larger than
    /// any value, and many values that would each fit may not fit together.
    async fn load_all(
        &self,
        wanted: Vec<BlobId>,
        budget: &mut Budget,
    ) -> Result<Vec<(BlobId, Loaded)>, BlobsError> {
        let mut sizes = stream::iter(wanted)
            .map(|id| async move { Ok::<_, BlobsError>((id, self.size(id).await?)) })
            .buffer_unordered(READS_AT_ONCE);
        let mut sized = Vec::new();
        while let Some((id, bytes)) = sizes.try_next().await? {
            budget.spend(bytes)?;
            sized.push((id, bytes));
        }
        stream::iter(sized)
            .map(|(id, bytes)| async move { Ok((id, self.load(id, bytes).await?)) })
            .buffer_unordered(READS_AT_ONCE)
            .try_collect()
            .await
    }

    async fn size(&self, id: BlobId) -> Result<u64, BlobsError> {
        self.head(id).await?.ok_or(BlobsError::NotFound(id))
    }

    async fn load(&self, id: BlobId, bytes: u64) -> Result<Loaded, BlobsError> {
        let json = self.get(id).await?;
        let value = serde_json::from_slice(&json).map_err(|source| BlobsError::NotJson { id, source })?;
        Ok(Loaded { value, bytes })
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
    loaded: &'a HashMap<BlobId, Loaded>,
    budget: Budget,
}

impl Unfolding<'_> {
    fn unfold(&mut self, value: &Value, depth: usize) -> Result<Value, BlobsError> {
        if let Some(reference) = ValueRef::from_value(value) {
            if depth == MAX_DEPTH {
                return Err(BlobsError::TooDeep { limit: MAX_DEPTH });
            }
            let found = self.loaded.get(&reference.blob).ok_or(BlobsError::NotFound(reference.blob))?;
            self.budget.spend(found.bytes)?;
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
