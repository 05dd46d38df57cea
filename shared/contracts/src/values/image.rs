//! An image on a port: a blob reference with what is known of it without decoding.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Lineage;
use crate::BlobId;

/// What tells an image from other values.
const KIND: &str = "image";

/// An image by reference. `kind` is always `image`, so that a value tells what it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename = "image")]
pub struct ImageValue {
    /// The encoded bytes in the blob store.
    pub blob: BlobId,
    /// Upright width, pixels (EXIF orientation applied).
    pub width: u32,
    /// Upright height, pixels.
    pub height: u32,
    /// `jpeg`, `png`, `webp`, …
    pub format: String,
    /// Where it came from.
    pub lineage: Lineage,
    /// The detection it was cut out for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_id: Option<String>,
}

impl ImageValue {
    /// A root image.
    #[must_use]
    pub fn root(blob: BlobId, width: u32, height: u32, format: impl Into<String>) -> Self {
        let lineage = Lineage::root(blob, width, height);
        Self { blob, width, height, format: format.into(), lineage, parent_id: None }
    }

    /// The image that `value` is, if it is one.
    #[must_use]
    pub fn from_value(value: &Value) -> Option<Self> {
        // A tag is written and not asked for when a struct is read.
        let is_one = value.get("kind").is_some_and(|kind| kind == KIND);
        if is_one { Self::deserialize(value).ok() } else { None }
    }

    /// As a port value.
    #[must_use]
    pub fn to_value(&self) -> Value {
        serde_json::to_value(self).expect("an image value is plain data")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_value_tells_its_kind() {
        let image = ImageValue::root(BlobId::of(b"x"), 4, 3, "png");
        let value = image.to_value();
        assert_eq!(value["kind"], "image");
        assert_eq!(ImageValue::from_value(&value), Some(image));
        assert_eq!(ImageValue::from_value(&serde_json::json!({"blob": "x"})), None);
        for kind in [serde_json::json!("mask"), serde_json::Value::Null] {
            let mut other = value.clone();
            other["kind"] = kind;
            assert_eq!(ImageValue::from_value(&other), None, "of another kind");
        }
        let mut bare = value;
        bare.as_object_mut().unwrap().shift_remove("kind");
        assert_eq!(ImageValue::from_value(&bare), None, "of no kind");
    }
}
