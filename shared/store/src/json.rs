//! JSON on its way into Postgres. Text and `jsonb` cannot hold U+0000, which a model's or a user's text may contain: it becomes
//! U+FFFD here, so that one odd character never costs a whole event.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::StoreError;

/// `value` as text for a `jsonb` column.
pub(crate) fn text(value: &impl Serialize) -> String {
    let text = serde_json::to_string(value).expect("contract types serialize to JSON");
    // The escape can only be part of a longer run of backslashes or a real NUL; the slow path tells them apart.
    if text.contains("\\u0000") { scrubbed(&text) } else { text }
}

/// Text for a `text` column.
pub(crate) fn plain(text: &str) -> String {
    if text.contains('\0') { text.replace('\0', "\u{fffd}") } else { text.to_owned() }
}

/// A stored JSON value as a contract type.
pub(crate) fn read<T: DeserializeOwned>(what: &'static str, value: Value) -> Result<T, StoreError> {
    serde_json::from_value(value).map_err(|error| StoreError::corrupt(what, error))
}

/// A stored JSON value that may be absent.
pub(crate) fn read_some<T: DeserializeOwned>(
    what: &'static str,
    value: Option<Value>,
) -> Result<Option<T>, StoreError> {
    value.map(|value| read(what, value)).transpose()
}

fn scrubbed(text: &str) -> String {
    let mut value: Value = serde_json::from_str(text).expect("it was just written");
    scrub(&mut value);
    value.to_string()
}

fn scrub(value: &mut Value) {
    match value {
        Value::String(text) if text.contains('\0') => *text = plain(text),
        Value::Array(items) => items.iter_mut().for_each(scrub),
        Value::Object(fields) => {
            if fields.keys().any(|key| key.contains('\0')) {
                *fields =
                    std::mem::take(fields).into_iter().map(|(key, value)| (plain(&key), value)).collect();
            }
            fields.values_mut().for_each(scrub);
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_real_nuls_are_replaced() {
        assert_eq!(text(&json!({"a\u{0}": ["b\u{0}c", 1]})), "{\"a\u{fffd}\":[\"b\u{fffd}c\",1]}");
        let escaped = json!({"regex": "\\u0000"});
        assert_eq!(serde_json::from_str::<Value>(&text(&escaped)).unwrap(), escaped);
    }
}
