//! What is aggregated: of each item the value that counts, and its group.

use millrace_blocks::outputs::aggregation::Config;
use millrace_contracts::{ErrorKind, JobError};
use serde_json::{Map, Value, json};

/// Items of one run; more are refused.
const MAX_ITEMS: usize = 100_000;

/// What counts of one item.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Sample {
    /// Its group; none where there are no groups.
    pub(super) group: Option<String>,
    /// Its value; null where it has none.
    pub(super) value: Value,
}

impl Sample {
    /// As it stands in a window.
    pub(super) fn to_text(&self) -> String {
        json!([self.group, self.value]).to_string()
    }

    pub(super) fn from_text(text: &str) -> Option<Self> {
        let (group, value) = serde_json::from_str(text).ok()?;
        Some(Self { group, value })
    }
}

/// The samples of a run: of each item of `items`, or of all the inputs as one item.
pub(super) fn of(inputs: &Map<String, Value>, config: &Config) -> Result<Vec<Sample>, JobError> {
    let wrong = |message: String| JobError::new(ErrorKind::InvalidInput, message).at("/inputs/items");
    let own = Value::Object(inputs.clone());
    let items: Vec<&Value> = match inputs.get("items") {
        None => vec![&own],
        Some(Value::Null) => Vec::new(),
        Some(value) => items_of(value).ok_or_else(|| wrong("`items` is no list".to_owned()))?,
    };
    if items.len() > MAX_ITEMS {
        return Err(wrong(format!("{} items, and {MAX_ITEMS} are allowed", items.len())));
    }
    // Where a list was collected, null stands for an item that failed, and that counts nowhere.
    let items = items.into_iter().filter(|item| !item.is_null());
    let sample = |item: &Value| Sample {
        group: config.group_by.as_deref().map(|field| text_of(at(item, field).unwrap_or(&Value::Null))),
        value: match &config.field {
            Some(field) => at(item, field).cloned().unwrap_or_default(),
            None => item.clone(),
        },
    };
    Ok(items.map(sample).collect())
}

/// The items of a list or of detections; of a list of detections, those of all of them, but for the pictures that failed.
fn items_of(value: &Value) -> Option<Vec<&Value>> {
    if let Some(items) = detections(value) {
        return Some(items.iter().collect());
    }
    let items = value.as_array()?;
    let there = items.iter().filter(|item| !item.is_null());
    Some(match there.map(detections).collect::<Option<Vec<_>>>() {
        Some(sets) => sets.into_iter().flatten().collect(),
        None => items.iter().collect(),
    })
}

fn detections(value: &Value) -> Option<&Vec<Value>> {
    let fields = value.as_object().filter(|fields| fields.contains_key("width"))?;
    fields.get("items")?.as_array()
}

/// The value at a path such as `center.0`.
fn at<'v>(item: &'v Value, path: &str) -> Option<&'v Value> {
    path.split('.').try_fold(item, |value, step| match value {
        Value::Array(items) => items.get(step.parse::<usize>().ok()?),
        value => value.get(step),
    })
}

/// A value as a name: a text as it is, all else as JSON.
pub(super) fn text_of(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
