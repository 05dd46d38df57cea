//! Detections as tables, wherever they stand in a run's outputs.

use millrace_contracts::values::Detections;
use serde_json::Value;

use super::Table;
use super::value::as_detections;

/// Rows of one table; the rest is counted.
const MAX_ROWS: usize = 50;

/// Every set of detections in `outputs` as (place, table).
pub(crate) fn detection_tables(outputs: &Value) -> Vec<(String, Table)> {
    let mut found = Vec::new();
    collect(outputs, String::new(), &mut found);
    found
}

fn collect(value: &Value, place: String, found: &mut Vec<(String, Table)>) {
    if let Some(detections) = as_detections(value) {
        found.push((place, table(&detections)));
        return;
    }
    let below = |name: &str| if place.is_empty() { name.to_owned() } else { format!("{place}.{name}") };
    match value {
        Value::Object(fields) => fields.iter().for_each(|(name, value)| collect(value, below(name), found)),
        Value::Array(items) => {
            items
                .iter()
                .enumerate()
                .for_each(|(index, value)| collect(value, format!("{place}[{index}]"), found));
        }
        _ => {}
    }
}

fn table(detections: &Detections) -> Table {
    let mut table = Table::new(&["class", "confidence", "x1", "y1", "x2", "y2"]);
    for item in detections.items.iter().take(MAX_ROWS) {
        let mut cells = vec![item.class_name.clone(), format!("{:.3}", item.confidence)];
        cells.extend(item.bbox.iter().map(|side| format!("{side:.1}")));
        table.row(cells);
    }
    if detections.items.len() > MAX_ROWS {
        table.row(vec![format!("… {} more", detections.items.len() - MAX_ROWS)]);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn detections_are_found_at_any_depth() {
        let found = json!({"items": [{"class_name": "circle", "confidence": 0.91, "bbox": [1, 2, 3, 4]}]});
        let tables = detection_tables(&json!({"answer": {"found": found, "per_crop": [found]}, "n": 1}));
        let places: Vec<_> = tables.iter().map(|(place, _)| place.as_str()).collect();
        assert_eq!(places, ["answer.found", "answer.per_crop[0]"]);
        assert!(
            tables[0].1.to_string().contains("circle  0.910       1.0  2.0  3.0  4.0"),
            "{}",
            tables[0].1
        );
    }
}
