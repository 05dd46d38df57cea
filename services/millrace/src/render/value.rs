//! Values in a few words.

use millrace_contracts::UnixMillis;
use millrace_contracts::values::{Detections, ImageValue, ValueRef};
use serde::Deserialize;
use serde_json::Value;

use crate::context::Tone;

/// Characters of a text that is told whole.
const SHORT: usize = 40;

/// The text of `value`'s field, empty when it is absent or null.
pub(crate) fn field(value: &Value, name: &str) -> String {
    match &value[name] {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// The time in `value`'s field, be it Unix milliseconds or text.
pub(crate) fn time(value: &Value, name: &str) -> String {
    value[name].as_i64().map_or_else(|| field(value, name), |millis| UnixMillis(millis).to_rfc3339())
}

/// `12 ms`, `3.4 s`, `2m 5s`.
pub(crate) fn duration(millis: u64) -> String {
    match millis {
        0..1_000 => format!("{millis} ms"),
        1_000..60_000 => format!("{:.1} s", millis as f64 / 1_000.0),
        _ => format!("{}m {}s", millis / 60_000, millis / 1_000 % 60),
    }
}

/// What a port carries, in a few words: `7 detections`, `picture 640×480`, `12 items`.
pub(crate) fn summary(value: &Value) -> String {
    if let Some(image) = ImageValue::from_value(value) {
        return format!("picture {}×{}", image.width, image.height);
    }
    if let Some(reference) = ValueRef::from_value(value) {
        return format!("{} bytes of JSON", reference.bytes);
    }
    if let Some(found) = as_detections(value) {
        return counted(found.items.len(), "detection");
    }
    match value {
        Value::Array(items) => counted(items.len(), "item"),
        Value::Object(fields) => counted(fields.len(), "field"),
        Value::String(text) if text.chars().count() > SHORT => cut(text),
        other => rounded(other).to_string(),
    }
}

/// `text`, or its beginning.
pub(super) fn cut(text: &str) -> String {
    if text.chars().count() <= SHORT {
        return text.to_owned();
    }
    format!("{}…", text.chars().take(SHORT - 1).collect::<String>())
}

/// `value` with four digits for people: of what comes after the point, and of what is less than 1 the first four.
pub(super) fn rounded(value: &Value) -> Value {
    match value {
        Value::Number(number) if number.is_f64() => {
            let exact = number.as_f64().unwrap_or_default();
            let text = if exact.abs() < 1.0 { format!("{exact:.3e}") } else { format!("{exact:.4}") };
            text.parse::<f64>().map_or_else(|_| value.clone(), Value::from)
        }
        Value::Array(items) => items.iter().map(rounded).collect(),
        Value::Object(fields) => fields.iter().map(|(name, value)| (name.clone(), rounded(value))).collect(),
        other => other.clone(),
    }
}

/// The detections that `value` is, if it is some.
pub(crate) fn as_detections(value: &Value) -> Option<Detections> {
    value.get("items")?;
    Detections::deserialize(value).ok()
}

fn counted(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// The tone of a status.
pub(crate) fn tone_of(status: &str) -> Tone {
    match status {
        "completed" => Tone::Good,
        "failed" | "timed_out" => Tone::Bad,
        "cancelled" | "skipped" => Tone::Odd,
        _ => Tone::Faint,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_are_told_in_a_few_words() {
        let item = json!({"bbox": [0, 0, 1, 1]});
        assert_eq!(summary(&json!({"items": [item, item]})), "2 detections");
        assert_eq!(summary(&json!([1])), "1 item");
        assert_eq!(summary(&json!(7)), "7");
        let numbers = [0.967_024_862_765_265_9, 0.000_123_456, -0.5, 12_345.678_9, 1e-9]
            .map(|number| summary(&json!(number)));
        assert_eq!(numbers, ["0.967", "0.0001235", "-0.5", "12345.6789", "1e-9"]);
        let image = ImageValue::root(millrace_contracts::BlobId::of(b"x"), 640, 480, "png");
        assert_eq!(summary(&image.to_value()), "picture 640×480");
        assert_eq!(
            (duration(12), duration(3_420), duration(125_000)),
            ("12 ms".into(), "3.4 s".into(), "2m 5s".into())
        );
    }
}
