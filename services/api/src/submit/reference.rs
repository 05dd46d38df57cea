//! The forms in which a run's input may name a picture, told apart without touching the picture.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use millrace_contracts::values::ImageUrl;
use millrace_contracts::{BlobId, Fault};
use serde_json::Value;
use url::Url;

use crate::body::type_name;

/// A picture as an input names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reference {
    /// It is in the blob store.
    Blob(BlobId),
    /// It came along, as base64 that is yet to be decoded.
    Base64(String),
    /// A worker fetches it.
    Url(ImageUrl),
}

/// The address of a blob, as our answers write it.
const ADDRESS: &str = "/api/v1/blobs/";

const FORMS: &str = "send a blob id (`blob:<sha256>`), base64 with or without a data: prefix, an http(s) URL, or a multipart file";

/// Longest address of a picture, bytes: signed ones are long, and the run's input holds it.
const MAX_URL_BYTES: usize = 4096;

/// Reads one picture of an input; `pointer` is its place in the request.
pub(crate) fn read(value: Value, pointer: &str) -> Result<Reference, Fault> {
    let refuse = |message: String| Fault::new("INVALID_IMAGE", pointer, message).hint(FORMS);
    if let Some(picture) = ImageUrl::from_value(&value) {
        // From an input that was resolved before, such as a schedule's.
        return read_url(picture.url, pointer);
    }
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
        return read_url(text, pointer);
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

/// An address that can be fetched, as far as it tells by itself: what it leads to, the worker finds out.
fn read_url(url: String, pointer: &str) -> Result<Reference, Fault> {
    let refuse = |message: String| {
        Fault::new("INVALID_IMAGE", pointer, message).hint("write http://host/… or https://host/…")
    };
    if url.len() > MAX_URL_BYTES {
        return Err(refuse(format!("the address has more than {MAX_URL_BYTES} bytes")));
    }
    let parsed = Url::parse(&url).map_err(|error| refuse(format!("this is no address: {error}")))?;
    if !matches!(parsed.scheme(), "http" | "https") {
        return Err(refuse("only http and https addresses are fetched".to_owned()));
    }
    if !parsed.username().is_empty() || parsed.password().is_some() {
        return Err(refuse("an address with a user or a password is not fetched".to_owned()));
    }
    Ok(Reference::Url(ImageUrl { url, max_pixels: None }))
}

/// `blob:<64 hex digits>`, the digits alone, or the address that our answers give, without a host: which one is ours, nobody here
/// knows.
fn blob_id(text: &str) -> Option<BlobId> {
    let prefixes = ["blob:", ADDRESS];
    prefixes.iter().find_map(|prefix| text.strip_prefix(prefix)).unwrap_or(text).parse().ok()
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
        for value in [
            json!(format!("blob:{id}")),
            json!(id),
            json!(format!("/api/v1/blobs/{id}")),
            json!({"kind": "image", "blob": id, "width": 3}),
        ] {
            assert_eq!(read(value, "/input/photo").unwrap(), Reference::Blob(id));
        }
        for value in [json!("aGk="), json!("data:image/png;base64,aGk="), json!("DATA:;BASE64,aGk=")] {
            assert_eq!(read(value, "/input/photo").unwrap(), Reference::Base64("aGk=".into()));
        }
    }

    #[test]
    fn an_address_is_left_to_the_worker() {
        for text in ["https://example.com/a.jpg?x=1", "HTTP://127.0.0.1:8080/a"] {
            let url = ImageUrl { url: text.to_owned(), max_pixels: None };
            assert_eq!(read(url.to_value(), "/input/photo").unwrap(), Reference::Url(url.clone()));
            assert_eq!(read(json!(text), "/input/photo").unwrap(), Reference::Url(url));
        }
    }

    #[test]
    fn what_is_none_of_them_is_told_with_its_place() {
        for (value, code) in [
            (json!("https://"), "INVALID_IMAGE"),
            (json!("http://user:secret@example.com/a.jpg"), "INVALID_IMAGE"),
            (json!({"kind": "image_url", "url": "file:///etc/passwd"}), "INVALID_IMAGE"),
            (json!(format!("https://example.com/{}", "a".repeat(5000))), "INVALID_IMAGE"),
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
