//! Detections of a run's input: recorded predictions, as a set or as a bare list of items.

use std::collections::HashSet;
use std::iter;

use millrace_contracts::values::Detection;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::Wrong;
use crate::logic::{MAX_ITEMS, name_of};

/// A set of detections: `items` checked one by one, each with an id.
pub(super) fn accept(value: Value) -> Result<Value, Wrong> {
    match value {
        Value::Array(items) => {
            let items = accept_items(items)?;
            Ok(json!({"width": 0, "height": 0, "items": items}))
        }
        Value::Object(fields) => accept_set(fields),
        other => Err(not_detections(&other)),
    }
}

fn accept_set(mut fields: Map<String, Value>) -> Result<Value, Wrong> {
    let known = ["image_id", "width", "height", "lineage", "items"];
    if let Some(unknown) = fields.keys().find(|field| !known.contains(&field.as_str())) {
        return Err(Wrong::new(format!("detections have no field {unknown:?}")).hint(FORM));
    }
    match fields.remove("items") {
        Some(Value::Array(items)) => {
            let items = accept_items(items)
                .map_err(|wrong| Wrong { below: format!("/items{}", wrong.below), ..wrong })?;
            fields.insert("items".to_owned(), items.into());
        }
        _ => return Err(Wrong::new("detections need `items`, a list").hint(FORM)),
    }
    for side in ["width", "height"] {
        fields.entry(side).or_insert_with(|| 0.into());
    }
    let set = Value::Object(fields);
    match millrace_contracts::values::Detections::deserialize(&set) {
        Ok(_) => Ok(set),
        Err(error) => Err(Wrong::new(format!("these are no detections: {error}")).hint(FORM)),
    }
}

fn accept_items(items: Vec<Value>) -> Result<Vec<Value>, Wrong> {
    if items.len() > MAX_ITEMS {
        return Err(Wrong::new(format!("{} detections, and {MAX_ITEMS} are allowed", items.len())));
    }
    for (position, item) in items.iter().enumerate() {
        check_item(item).map_err(|wrong| wrong.inside(position))?;
    }
    Ok(named(items))
}

/// The items, each with an id: those without one by their place, unless another is called that.
fn named(mut items: Vec<Value>) -> Vec<Value> {
    let id_of = |item: &Value| item.get("detection_id").and_then(Value::as_str).map(str::to_owned);
    let mut ids = items.iter().filter_map(id_of).collect::<HashSet<_>>();
    for (position, item) in items.iter_mut().enumerate() {
        let Some(fields) = item.as_object_mut() else { continue };
        if fields.get("detection_id").and_then(Value::as_str).is_none_or(str::is_empty) {
            let further = (1..).map(|number| format!("{position}-{number}"));
            let mut names = iter::once(position.to_string()).chain(further);
            if let Some(id) = names.find(|name| ids.insert(name.clone())) {
                fields.insert("detection_id".to_owned(), id.into());
            }
        }
    }
    items
}

fn check_item(item: &Value) -> Result<(), Wrong> {
    let detection = Detection::deserialize(item)
        .map_err(|error| Wrong::new(format!("this is no detection: {error}")).hint(FORM))?;
    check_box(detection.bbox)?;
    if !(0.0..=1.0).contains(&detection.confidence) {
        return Err(Wrong::new("`confidence` must be from 0 to 1"));
    }
    Ok(())
}

/// Whether workers can read a box: its corners are numbers, in their order.
pub(super) fn check_box(corners: [f32; 4]) -> Result<(), Wrong> {
    let [x1, y1, x2, y2] = corners;
    if corners.iter().all(|corner| corner.is_finite()) && x1 <= x2 && y1 <= y2 {
        return Ok(());
    }
    Err(Wrong::new("`bbox` is not a box").hint("write [x1, y1, x2, y2] with x1 ≤ x2 and y1 ≤ y2"))
}

fn not_detections(value: &Value) -> Wrong {
    Wrong::new(format!("{} is no set of detections", name_of(value))).hint(FORM)
}

const FORM: &str = "give {\"items\": [{\"class_name\": …, \"confidence\": …, \"bbox\": [x1, y1, x2, y2]}, …]}, or the bare list";
