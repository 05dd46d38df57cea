//! A run's outputs by name, a line each: for people, so numbers are rounded, and long lists and texts are cut.

use millrace_contracts::values::{ImageValue, ValueRef};
use serde_json::Value;

use super::value::{as_detections, cut, rounded, summary};

/// Characters of a value that stands on one line; one that is longer is told by its parts.
const WIDTH: usize = 80;
/// Items of a list that are told; the rest is counted.
const MAX_ITEMS: usize = 10;
/// Items of a list of plain values that begin its line.
const FIRST_ITEMS: usize = 4;
/// Lines in all; the rest is counted.
const MAX_LINES: usize = 40;

/// `answer.label = "star"` for every value among `outputs`. Detections have tables of their own.
pub(crate) fn output_lines(outputs: &Value) -> Vec<String> {
    let mut lines = Vec::new();
    for (node, value) in outputs.as_object().into_iter().flatten() {
        match value.as_object().filter(|_| !has_words_of_its_own(value)) {
            Some(fields) => {
                fields.iter().for_each(|(name, value)| tell(value, &format!("{node}.{name}"), &mut lines));
            }
            None => tell(value, node, &mut lines),
        }
    }
    let more = lines.len().saturating_sub(MAX_LINES);
    if more > 0 {
        lines.truncate(MAX_LINES);
        lines.push(format!("… {more} more; --json shows everything"));
    }
    lines
}

fn tell(value: &Value, place: &str, lines: &mut Vec<String>) {
    if as_detections(value).is_some() {
        return;
    }
    if has_words_of_its_own(value) {
        return lines.push(format!("{place} = {}", summary(value)));
    }
    if let Some(text) = on_one_line(value) {
        return lines.push(format!("{place} = {text}"));
    }
    match value {
        Value::Object(fields) => {
            fields.iter().for_each(|(name, value)| tell(value, &format!("{place}.{name}"), lines));
        }
        Value::Array(items) if items.iter().all(|item| !item.is_object() && !item.is_array()) => {
            let first: Vec<_> =
                items.iter().take(FIRST_ITEMS).map(|item| cut(&rounded(item).to_string())).collect();
            lines.push(format!("{place} = [{},…] {} items", first.join(","), items.len()));
        }
        Value::Array(items) => {
            let told = items.iter().take(MAX_ITEMS).enumerate();
            told.for_each(|(index, value)| tell(value, &format!("{place}[{index}]"), lines));
            if items.len() > MAX_ITEMS {
                lines.push(format!("{place}: {} more items", items.len() - MAX_ITEMS));
            }
        }
        // A text.
        other => lines
            .push(format!("{place} = {}", other.to_string().chars().take(WIDTH).collect::<String>() + "…")),
    }
}

/// The value as JSON, where that is short and says all there is to say.
fn on_one_line(value: &Value) -> Option<String> {
    let text = rounded(value).to_string();
    (text.chars().count() <= WIDTH && !holds_words_of_its_own(value)).then_some(text)
}

/// Whether it is one of the values that people do not read as JSON.
fn has_words_of_its_own(value: &Value) -> bool {
    as_detections(value).is_some()
        || ImageValue::from_value(value).is_some()
        || ValueRef::from_value(value).is_some()
}

fn holds_words_of_its_own(value: &Value) -> bool {
    match value {
        Value::Object(fields) => has_words_of_its_own(value) || fields.values().any(holds_words_of_its_own),
        Value::Array(items) => items.iter().any(holds_words_of_its_own),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use millrace_contracts::BlobId;
    use serde_json::json;

    use super::*;

    #[test]
    fn outputs_are_told_by_name() {
        let image = ImageValue::root(BlobId::of(b"x"), 640, 480, "png").to_value();
        let found = json!({"items": [{"class_name": "circle", "bbox": [1, 2, 3, 4]}]});
        let outputs = json!({"answer": {
            "best": {"id": "scene", "score": 0.999_999_94},
            "found": found,
            "label": "star",
            "nested": {"picture": image, "per_crop": [found]},
            "sure": 0.967_024_862_765_265_9,
            "vector": vec![0.123_456_78; 48],
        }, "plain": 7, "saved": {"picture": image}});
        assert_eq!(
            output_lines(&outputs),
            [
                r#"answer.best = {"id":"scene","score":1.0}"#,
                r#"answer.label = "star""#,
                "answer.nested.picture = picture 640×480",
                "answer.sure = 0.967",
                "answer.vector = [0.1235,0.1235,0.1235,0.1235,…] 48 items",
                "plain = 7",
                "saved.picture = picture 640×480",
            ]
        );
        assert_eq!(output_lines(&Value::Null), Vec::<String>::new(), "a run that failed");
    }

    #[test]
    fn what_is_long_is_cut() {
        let row = |number: usize| json!({"id": number, "note": "x".repeat(60)});
        let rows: Vec<_> = (0..12).map(row).collect();
        let lines = output_lines(&json!({"answer": {"rows": rows, "text": "y".repeat(500)}}));
        assert_eq!(lines.len(), 12, "{lines:?}");
        assert!(lines[0].starts_with(r#"answer.rows[0] = {"id":0,"#), "{lines:?}");
        assert_eq!(lines[10], "answer.rows: 2 more items");
        assert!(lines[11].ends_with('…') && lines[11].chars().count() < 100, "{lines:?}");
        let many: serde_json::Map<String, Value> =
            (0..90).map(|number| (format!("n{number}"), json!(number))).collect();
        let lines = output_lines(&json!({"answer": many}));
        assert_eq!((lines.len(), lines[40].as_str()), (41, "… 50 more; --json shows everything"));
    }
}
