//! How deep a JSON value is.

use serde_json::Value;

/// Whether arrays and objects nest no deeper than `limit`. Goes no deeper than that itself.
pub(crate) fn depth_within(value: &Value, limit: usize) -> bool {
    let inside = |limit: Option<usize>, value: &Value| limit.is_some_and(|limit| depth_within(value, limit));
    match value {
        Value::Array(items) => items.iter().all(|item| inside(limit.checked_sub(1), item)) && limit > 0,
        Value::Object(fields) => {
            fields.values().all(|field| inside(limit.checked_sub(1), field)) && limit > 0
        }
        _ => true,
    }
}
