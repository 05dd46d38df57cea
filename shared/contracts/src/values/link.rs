//! Where the bytes of pictures can be had: under the api.

use serde_json::Value;

use super::ImageValue;

/// Gives every image in `value` a `url` under the api, whose public address is `base`; without one the url is relative.
pub fn link_images(value: &mut Value, base: Option<&str>) {
    let is_image = value.get("kind").is_some_and(|kind| kind == "image");
    if let Some(image) = is_image.then(|| ImageValue::from_value(value)).flatten() {
        value["url"] = format!("{}/api/v1/blobs/{}", base.unwrap_or_default(), image.blob).into();
        return;
    }
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| link_images(item, base)),
        Value::Object(fields) => fields.values_mut().for_each(|field| link_images(field, base)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::BlobId;
    use serde_json::json;

    #[test]
    fn images_get_a_link_wherever_they_are() {
        let blob = BlobId::of(b"x");
        let image = ImageValue::root(blob, 4, 3, "png").to_value();
        let mut value = json!({"count": 1, "crops": [image], "picture": image});
        link_images(&mut value, None);
        let url = json!(format!("/api/v1/blobs/{blob}"));
        assert_eq!((&value["crops"][0]["url"], &value["picture"]["url"]), (&url, &url));
        assert_eq!((&value["picture"]["width"], &value["count"]), (&json!(4), &json!(1)));
        link_images(&mut value, Some("https://millrace.example.com"));
        assert_eq!(value["picture"]["url"], format!("https://millrace.example.com/api/v1/blobs/{blob}"));
    }
}
