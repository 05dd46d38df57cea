//! How large and how deep a JSON value is, without writing it down.

use std::io::Write;

use serde_json::Value;

/// The length of the value as compact JSON, bytes.
pub(crate) fn json_bytes(value: &Value) -> usize {
    let mut count = Count(0);
    serde_json::to_writer(&mut count, value).expect("counting bytes cannot fail");
    count.0
}

struct Count(usize);

impl Write for Count {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

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
