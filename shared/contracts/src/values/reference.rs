//! Claim check: a JSON value too large for the bus stands in the blob store, and a reference stands in its place.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::BlobId;

/// A single port value larger than this as JSON is replaced by a [`ValueRef`], bytes. With a handful of ports per
/// node this keeps every event well under the bus's 64 KiB.
pub const INLINE_LIMIT_BYTES: usize = 8 * 1024;

/// The stand-in for a JSON value in the blob store: `{"$value": "<sha256>", "bytes": 123456}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ValueRef {
    /// The blob that holds the value as JSON.
    #[serde(rename = "$value")]
    pub blob: BlobId,
    /// The size of that JSON, bytes.
    pub bytes: u64,
}

impl ValueRef {
    /// The reference that `value` is, if it is one.
    #[must_use]
    pub fn from_value(value: &Value) -> Option<Self> {
        let object = value.as_object()?;
        if object.len() != 2 || !object.contains_key("$value") {
            return None;
        }
        Self::deserialize(value).ok()
    }

    /// The reference as it stands in a value's place.
    #[must_use]
    pub fn to_value(self) -> Value {
        serde_json::json!({"$value": self.blob, "bytes": self.bytes})
    }

    /// Every reference inside `value`, at any depth.
    #[must_use]
    pub fn all_in(value: &Value) -> Vec<Self> {
        let mut found = Vec::new();
        Self::collect(value, &mut found);
        found
    }

    fn collect(value: &Value, found: &mut Vec<Self>) {
        if let Some(reference) = Self::from_value(value) {
            found.push(reference);
            return;
        }
        match value {
            Value::Array(items) => items.iter().for_each(|item| Self::collect(item, found)),
            Value::Object(fields) => fields.values().for_each(|field| Self::collect(field, found)),
            _ => {}
        }
    }
}
