//! The content type a blob is served with: told from its bytes, never from what somebody claimed, and never one that a
//! browser would run.

/// How many leading bytes [`content_type`] looks at.
pub(crate) const SNIFF_BYTES: usize = 512;

/// The content type of bytes that begin with `head`.
pub(crate) fn content_type(head: &[u8]) -> &'static str {
    const MAGIC: [(&[u8], &str); 8] = [
        (b"\x89PNG\r\n\x1a\n", "image/png"),
        (b"\xff\xd8\xff", "image/jpeg"),
        (b"GIF87a", "image/gif"),
        (b"GIF89a", "image/gif"),
        (b"II*\0", "image/tiff"),
        (b"MM\0*", "image/tiff"),
        (b"BM", "image/bmp"),
        (b"%PDF-", "application/pdf"),
    ];
    if let Some((_, name)) = MAGIC.iter().find(|(magic, _)| head.starts_with(magic)) {
        return name;
    }
    if head.starts_with(b"RIFF") && head.get(8..12) == Some(b"WEBP") {
        return "image/webp";
    }
    if looks_like_json(head) { "application/json" } else { "application/octet-stream" }
}

/// Values in the blob store are JSON without leading blanks.
fn looks_like_json(head: &[u8]) -> bool {
    let text = match std::str::from_utf8(&head[..head.len().min(SNIFF_BYTES)]) {
        Ok(text) => text,
        // The cut may have gone through a character.
        Err(fault) if fault.error_len().is_none() => {
            std::str::from_utf8(&head[..fault.valid_up_to()]).unwrap_or_default()
        }
        Err(_) => return false,
    };
    text.starts_with(['{', '['])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_come_from_the_bytes() {
        assert_eq!(content_type(b"\xff\xd8\xff\xe0 jfif"), "image/jpeg");
        assert_eq!(content_type(b"RIFF\x10\0\0\0WEBPVP8 "), "image/webp");
        assert_eq!(content_type(b"{\"items\": []}"), "application/json");
        assert_eq!(content_type("[\"é".as_bytes().split_last().unwrap().1), "application/json");
    }

    #[test]
    fn nothing_a_browser_runs_is_ever_named() {
        for bytes in [&b"<html><script>"[..], b"<svg xmlns=''>", b"alert(1)", b"", b"\0\0"] {
            assert_eq!(content_type(bytes), "application/octet-stream");
        }
    }
}
