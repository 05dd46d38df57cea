//! The forms in which a run's input may name a picture, told apart without touching the picture.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use millrace_contracts::{BlobId, Fault};
use serde_json::Value;

use crate::body::type_name;

/// A picture as an input names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reference {
    /// It is in the blob store.
    Blob(BlobId),
    /// It came along, as base64 that is yet to be decoded.
    Base64(String),
}

const FORMS: &str =
    "send a blob id (`blob:<sha256>`), base64 with or without a data: prefix, or a multipart file";

/// Reads one picture of an input; `pointer` is its place in the request.
pub(crate) fn read(value: Value, pointer: &str) -> Result<Reference, Fault> {
    let refuse = |message: String| Fault::new("INVALID_IMAGE", pointer, message).hint(FORMS);
    match value {
        Value::String(text) => read_text(text, pointer),
        Value::Object(fields) => {
            // An image value from another run: its blob is what counts, the rest is read anew.
            let id = fields.get("blob").and_then(Value::as_str).and_then(blob_id);
            id.map(Reference::Blob)
                .ok_or_else(|| refuse("an object here must have a `blob` with a blob id".to_owned()))
        }
        other => Err(refuse(format!("a picture is wanted here, not {}", type_name(&other)))),
    }
}

fn read_text(text: String, pointer: &str) -> Result<Reference, Fault> {
    if let Some(id) = blob_id(&text) {
        return Ok(Reference::Blob(id));
    }
    let start: String = text.chars().take(8).collect::<String>().to_ascii_lowercase();
    if start.starts_with("http://") || start.starts_with("https://") {
        let message = "pictures are not fetched from URLs yet";
        let hint =
            "upload the picture to /api/v1/blobs and name it by `blob:<sha256>`, or send it in the request";
        return Err(Fault::new("URL_INPUT_UNSUPPORTED", pointer, message).hint(hint));
    }
    if start.starts_with("blob:") {
        return Err(Fault::new("INVALID_IMAGE", pointer, "a blob id has 64 hex digits").hint(FORMS));
    }
    if !start.starts_with("data:") {
        return Ok(Reference::Base64(text));
    }
    match text.split_once(',') {
        Some((head, data)) if head.to_ascii_lowercase().ends_with(";base64") => {
            Ok(Reference::Base64(data.to_owned()))
        }
        _ => {
            Err(Fault::new("INVALID_IMAGE", pointer, "a data: URL must be data:<type>;base64,<data>")
                .hint(FORMS))
        }
    }
}

/// `blob:<64 hex digits>`, or the digits alone.
fn blob_id(text: &str) -> Option<BlobId> {
    text.strip_prefix("blob:").unwrap_or(text).parse().ok()
}

/// Decodes base64 in any of its usual alphabets; line breaks and missing padding do no harm.
pub(crate) fn decode(text: &str, pointer: &str) -> Result<Vec<u8>, Fault> {
    let clean;
    let text = if text.bytes().any(|byte| byte.is_ascii_whitespace()) {
        clean = text.split_ascii_whitespace().collect::<String>();
        &clean
    } else {
        text
    };
    let engines = [&STANDARD, &STANDARD_NO_PAD, &URL_SAFE, &URL_SAFE_NO_PAD];
    let decoded = engines.into_iter().find_map(|engine| engine.decode(text).ok());
    decoded.ok_or_else(|| {
        Fault::new("INVALID_IMAGE", pointer, "this is neither a blob id nor base64").hint(FORMS)
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_form_is_recognised() {
        let id = BlobId::of(b"x");
        for value in
            [json!(format!("blob:{id}")), json!(id), json!({"kind": "image", "blob": id, "width": 3})]
        {
            assert_eq!(read(value, "/input/photo").unwrap(), Reference::Blob(id));
        }
        for value in [json!("aGk="), json!("data:image/png;base64,aGk="), json!("DATA:;BASE64,aGk=")] {
            assert_eq!(read(value, "/input/photo").unwrap(), Reference::Base64("aGk=".into()));
        }
    }

    #[test]
    fn what_is_none_of_them_is_told_with_its_place() {
        for (value, code) in [
            (json!("https://example.com/a.jpg"), "URL_INPUT_UNSUPPORTED"),
            (json!("HTTP://example.com/a.jpg"), "URL_INPUT_UNSUPPORTED"),
            (json!("blob:123"), "INVALID_IMAGE"),
            (json!("data:image/png,rawbytes"), "INVALID_IMAGE"),
            (json!(7), "INVALID_IMAGE"),
            (json!({"url": "x"}), "INVALID_IMAGE"),
        ] {
            let fault = read(value, "/input/photo").unwrap_err();
            assert_eq!((fault.code.as_str(), fault.pointer.as_str()), (code, "/input/photo"));
            assert!(fault.hint.is_some());
        }
    }

    #[test]
    fn base64_is_taken_as_people_send_it() {
        for text in ["+/+/", "-_-_", "aGk=", "aGk", "aG\r\nk="] {
            assert!(decode(text, "").is_ok(), "{text}");
        }
        assert_eq!(decode("not base64!", "/input/photo").unwrap_err().pointer, "/input/photo");
    }
}
