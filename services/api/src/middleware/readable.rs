//! An address that holds a NUL names nothing, since no text in the record can hold one, and neither does one that is no text at
//! all. It is told here, once for all that take names and filters from addresses.

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::problem::{Code, Problem};

/// A NUL in an address.
const NUL: &str = "%00";

/// Serves a request whose address can be read.
pub(crate) async fn readable(request: Request, next: Next) -> Response {
    let (path, query) = (request.uri().path(), request.uri().query());
    if path.contains(NUL) || !is_text(path) {
        return Problem::not_found("address", path).into_response();
    }
    if query.is_some_and(|query| query.contains(NUL)) {
        return Problem::new(Code::InvalidQuery, "a parameter holds a NUL, which no text here can")
            .into_response();
    }
    next.run(request).await
}

/// Whether what a path's escapes stand for is UTF-8. What only looks like an escape stands for itself.
fn is_text(path: &str) -> bool {
    if !path.contains('%') {
        return true;
    }
    let (mut bytes, mut rest) = (Vec::with_capacity(path.len()), path.as_bytes());
    while let [first, after @ ..] = rest {
        let escaped = match rest {
            [b'%', high, low, ..] => digit(*high).zip(digit(*low)).map(|(high, low)| high * 16 + low),
            _ => None,
        };
        bytes.push(escaped.unwrap_or(*first));
        rest = if escaped.is_some() { &rest[3..] } else { after };
    }
    std::str::from_utf8(&bytes).is_ok()
}

fn digit(sign: u8) -> Option<u8> {
    char::from(sign).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_have_to_be_text() {
        for text in ["/a/b", "/%C3%A4", "/%zz%", "/100%", "/%c", "/%f0%9f%98%80/x"] {
            assert!(is_text(text), "{text}");
        }
        for other in ["/%ff", "/a/%C3", "/%c3%28/b", "/%ed%a0%80"] {
            assert!(!is_text(other), "{other}");
        }
    }
}
