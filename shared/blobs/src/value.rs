//! Claim check: JSON values that are too large for the bus go into the store, a reference takes their place.

use bytes::Bytes;
use millrace_contracts::values::{INLINE_LIMIT_BYTES, ValueRef};
use serde_json::Value;

use crate::{Blobs, BlobsError};

impl Blobs {
    /// Stores a JSON value.
    ///
    /// # Errors
    /// `TooLarge`, `Storage`.
    pub async fn put_value(&self, value: &Value) -> Result<ValueRef, BlobsError> {
        self.put_json(json(value)).await
    }

    /// `value` itself when it is small, a reference to it otherwise.
    ///
    /// # Errors
    /// `TooLarge`, `Storage`.
    pub async fn claim_check(&self, value: Value) -> Result<Value, BlobsError> {
        if is_surely_small(&value) {
            return Ok(value);
        }
        let json = json(&value);
        if json.len() <= INLINE_LIMIT_BYTES {
            return Ok(value);
        }
        Ok(self.put_json(json).await?.to_value())
    }

    async fn put_json(&self, json: Vec<u8>) -> Result<ValueRef, BlobsError> {
        let bytes = json.len() as u64;
        if bytes > self.max_value_bytes {
            return Err(BlobsError::TooLarge { what: "the value", limit: self.max_value_bytes });
        }
        let blob = self.put(Bytes::from(json)).await?;
        Ok(ValueRef { blob, bytes })
    }
}

fn json(value: &Value) -> Vec<u8> {
    serde_json::to_vec(value).expect("a JSON value serialises: its keys are text")
}

/// Spares the common case, numbers and short text, the writing out.
fn is_surely_small(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => true,
        // Escapes make one byte six at most.
        Value::String(text) => text.len() * 6 + 2 <= INLINE_LIMIT_BYTES,
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
    }
}
