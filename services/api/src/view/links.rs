//! Addresses in answers, relative to the server.

use millrace_contracts::ExecutionId;
use millrace_contracts::values::ImageValue;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

/// Where to go on with a run.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Links {
    #[serde(rename = "self")]
    own: String,
    events: String,
    nodes: String,
    cancel: String,
    rerun: String,
}

/// The addresses of a run.
pub(crate) fn links(id: ExecutionId) -> Links {
    let own = format!("/api/v1/executions/{id}");
    Links {
        events: format!("{own}/events"),
        nodes: format!("{own}/nodes"),
        cancel: format!("{own}/cancel"),
        rerun: format!("{own}/rerun"),
        own,
    }
}

/// Gives every image inside `value` the address of its bytes.
pub(crate) fn images_as_links(value: &mut Value) {
    if let Some(image) = ImageValue::from_value(value) {
        if let Some(fields) = value.as_object_mut() {
            fields.insert("url".to_owned(), Value::String(format!("/api/v1/blobs/{}", image.blob)));
        }
        return;
    }
    match value {
        Value::Array(items) => items.iter_mut().for_each(images_as_links),
        Value::Object(fields) => fields.values_mut().for_each(images_as_links),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use millrace_contracts::BlobId;
    use serde_json::json;

    use super::*;

    #[test]
    fn images_get_an_address_at_any_depth() {
        let id = BlobId::of(b"x");
        let mut value =
            json!({"answer": {"pictures": [ImageValue::root(id, 1, 1, "png").to_value()], "n": 1}});
        images_as_links(&mut value);
        assert_eq!(value["answer"]["pictures"][0]["url"], format!("/api/v1/blobs/{id}"));
        assert_eq!(value["answer"]["n"], 1);
    }
}
