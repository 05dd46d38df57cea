//! Files by their path.

use std::borrow::Cow;

use rust_embed::RustEmbed;

#[derive(RustEmbed)]
#[folder = "../../services/console/dist/app"]
#[allow_missing = true]
struct Files;

/// A file of the console.
#[derive(Debug, Clone)]
pub struct Asset {
    /// Its bytes, compressed where `gzip` says so.
    pub bytes: Cow<'static, [u8]>,
    /// Whether the bytes are the gzip form.
    pub gzip: bool,
    /// Its content type.
    pub content_type: &'static str,
    /// Whether its name contains its digest, so that it never changes.
    pub immutable: bool,
    /// A digest of its bytes as they are served, in hex.
    pub digest: String,
}

/// The file at `path`, such as `index.html`; its gzip form where there is one and `gzip` allows it.
#[must_use]
pub fn asset(path: &str, gzip: bool) -> Option<Asset> {
    if path.ends_with(".gz") {
        return None;
    }
    let packed = if gzip { Files::get(&format!("{path}.gz")) } else { None };
    let gzip = packed.is_some();
    let file = packed.or_else(|| Files::get(path))?;
    let digest = file.metadata.sha256_hash().iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    Some(Asset {
        bytes: file.data,
        gzip,
        content_type: content_type(path),
        immutable: path.starts_with("assets/"),
        digest,
    })
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map_or("", |(_, extension)| extension) {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" => "application/json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "woff2" => "font/woff2",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_there_is_not_found() {
        for path in ["", "no/such/file.js", "../package.json", "assets/x.js.gz"] {
            assert!(asset(path, true).is_none(), "{path}");
        }
    }

    #[test]
    fn the_page_is_whole_where_the_console_was_built() {
        let Some(page) = asset("index.html", false) else { return };
        assert_eq!(page.content_type, "text/html; charset=utf-8");
        assert!(!page.immutable, "the page names the others by their digests, and so must change with them");
        let text = String::from_utf8(page.bytes.into_owned()).unwrap();
        let script = text.split("src=\"/").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
        let script = asset(script, true).unwrap();
        assert!(script.immutable && script.gzip);
        assert_eq!(script.content_type, "text/javascript; charset=utf-8");
    }
}
