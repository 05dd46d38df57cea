//! Masks of a run's input: what a segmentation gave, or what somebody drew, as a set or as a bare list of items.

use millrace_contracts::values::{MaskItem, Masks, MasksKind};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::Wrong;
use super::detections::check_box;
use crate::logic::{MAX_ITEMS, name_of};

/// A set of masks, all of one size. What follows from the masks themselves need not be said: their areas, the boxes around
/// them, the size; and `kind` is that of the parameter.
pub(super) fn accept(value: Value, kind: MasksKind) -> Result<Value, Wrong> {
    match value {
        Value::Array(items) => accept_set(Map::from_iter([("items".to_owned(), items.into())]), kind),
        Value::Object(fields) => accept_set(fields, kind),
        other => Err(Wrong::new(format!("{} is no set of masks", name_of(&other))).hint(FORM)),
    }
}

fn accept_set(mut fields: Map<String, Value>, kind: MasksKind) -> Result<Value, Wrong> {
    let known = ["kind", "image_id", "width", "height", "lineage", "items"];
    if let Some(unknown) = fields.keys().find(|field| !known.contains(&field.as_str())) {
        return Err(Wrong::new(format!("masks have no field {unknown:?}")).hint(FORM));
    }
    let Some(Value::Array(items)) = fields.remove("items") else {
        return Err(Wrong::new("masks need `items`, a list").hint(FORM));
    };
    if items.len() > MAX_ITEMS {
        return Err(Wrong::new(format!("{} masks, and {MAX_ITEMS} are allowed", items.len())));
    }
    let inside =
        |position: usize, wrong: Wrong| Wrong { below: format!("/items/{position}{}", wrong.below), ..wrong };
    let items = items.into_iter().enumerate();
    let items = items.map(|(position, item)| accept_item(item).map_err(|wrong| inside(position, wrong)));
    let items = items.collect::<Result<Vec<MaskItem>, Wrong>>()?;
    let [height, width] = items.first().map_or([0, 0], |item| item.mask.size);
    for (side, pixels) in [("width", width), ("height", height)] {
        fields.entry(side).or_insert_with(|| pixels.into());
    }
    fields.entry("kind").or_insert_with(|| json!(kind));
    fields.insert("items".to_owned(), json!([]));
    let set = Masks::deserialize(Value::Object(fields))
        .map_err(|error| Wrong::new(format!("these are no masks: {error}")).hint(FORM))?;
    let size = [set.height, set.width];
    if let Some(odd) = items.iter().position(|item| item.mask.size != size) {
        let [rows, columns] = items[odd].mask.size;
        let message =
            format!("the mask has {columns} x {rows} pixels, the picture {} x {}", set.width, set.height);
        return Err(inside(odd, Wrong::new(message).hint("all masks are as large as their picture")));
    }
    Ok(json!(Masks { items, ..set }))
}

fn accept_item(mut item: Value) -> Result<MaskItem, Wrong> {
    let mut unboxed = false;
    if let Value::Object(fields) = &mut item {
        // What the pixels say is worked out below; zeros hold its place.
        fields.insert("area".to_owned(), 0.into());
        unboxed = fields.get("bbox").is_none_or(Value::is_null);
        if unboxed {
            fields.insert("bbox".to_owned(), json!([0, 0, 0, 0]));
        }
        fields.entry("class_id").or_insert_with(|| (-1).into());
        fields.entry("class_name").or_insert_with(|| "".into());
    }
    let mut item = MaskItem::deserialize(item)
        .map_err(|error| Wrong::new(format!("this is no mask: {error}")).hint(FORM))?;
    if item.confidence.is_some_and(|confidence| !(0.0..=1.0).contains(&confidence)) {
        return Err(Wrong::new("`confidence` must be from 0 to 1"));
    }
    check_box(item.bbox)?;
    item.area = item.mask.area();
    if let Some(around) = item.mask.bbox().filter(|_| unboxed) {
        item.bbox = around.map(|side| side as f32);
    }
    Ok(item)
}

const FORM: &str = "give {\"items\": [{\"class_id\": …, \"class_name\": …, \"mask\": {\"size\": [height, width], \"counts\": …}}, …]}, \
                    masks as COCO run lengths, or the bare list";
