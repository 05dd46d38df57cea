//! Pictures of a run's input that are named by URL: what stands for them until a worker has fetched them.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// A picture that is to be fetched: `{"kind": "image_url", "url": "https://…", "max_pixels": 50000000}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename = "image_url")]
pub struct ImageUrl {
    /// Where it is.
    pub url: String,
    /// How many pixels it may have, by the limit of the server that took the run; those of its input and of the worker come
    /// on top.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_pixels: Option<u64>,
}

/// What tells such a picture from others.
const KIND: &str = "image_url";
/// The field around a value with pictures to fetch inside.
const FIELD: &str = "$fetch";

impl ImageUrl {
    /// The picture that `value` stands for, if it does.
    #[must_use]
    pub fn from_value(value: &Value) -> Option<Self> {
        // A tag is written and not asked for when a struct is read.
        let is_one = value.get("kind").is_some_and(|kind| kind == KIND);
        if is_one { Self::deserialize(value).ok() } else { None }
    }

    /// As it stands in a value.
    #[must_use]
    pub fn to_value(&self) -> Value {
        serde_json::to_value(self).expect("an address is plain data")
    }
}

/// Marks an input's value, which may itself be stored by reference, as one with pictures to fetch: `{"$fetch": value}`.
#[must_use]
pub fn to_fetch(value: &Value) -> Value {
    json!({FIELD: value})
}

/// The value with pictures to fetch inside, if `value` is marked so.
#[must_use]
pub fn marked_to_fetch(value: &Value) -> Option<&Value> {
    value.as_object().filter(|fields| fields.len() == 1)?.get(FIELD)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_come_off_again_and_nothing_else_is_one() {
        let picture = ImageUrl { url: "https://example.com/a.jpg".to_owned(), max_pixels: None }.to_value();
        assert_eq!(picture["kind"], "image_url");
        assert!(ImageUrl::from_value(&picture).is_some());
        assert_eq!(marked_to_fetch(&to_fetch(&picture)), Some(&picture));
        for other in [picture, json!(null), json!({"$fetch": 1, "more": 2}), json!("$fetch")] {
            assert_eq!(marked_to_fetch(&other), None, "{other}");
        }
        assert_eq!(ImageUrl::from_value(&json!({"kind": "image", "url": "x"})), None);
    }
}
