//! `json_output`: a value as it stands in a run's outputs.

use millrace_contracts::values::ImageValue;
use serde_json::Value;

/// A value as it stands in a run's `outputs`: every image in it gets a `url` under the api.
#[must_use]
pub fn output_value(mut value: Value) -> Value {
    link_images(&mut value);
    value
}

fn link_images(value: &mut Value) {
    let is_image = value.get("kind").is_some_and(|kind| kind == "image");
    if let Some(image) = is_image.then(|| ImageValue::from_value(value)).flatten() {
        value["url"] = format!("/api/v1/blobs/{}", image.blob).into();
        return;
    }
    match value {
        Value::Array(items) => items.iter_mut().for_each(link_images),
        Value::Object(fields) => fields.values_mut().for_each(link_images),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use millrace_contracts::BlobId;
    use serde_json::json;

    #[test]
    fn images_get_a_link_wherever_they_are() {
        let blob = BlobId::of(b"x");
        let image = ImageValue::root(blob, 4, 3, "png").to_value();
        let linked = output_value(json!({"count": 1, "crops": [image], "picture": image}));
        let url = json!(format!("/api/v1/blobs/{blob}"));
        assert_eq!(linked["crops"][0]["url"], url);
        assert_eq!(linked["picture"]["url"], url);
        assert_eq!(linked["picture"]["width"], 4);
        assert_eq!(linked["count"], 1);
    }
}
