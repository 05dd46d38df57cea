//! Page cursors: opaque to clients, the last id of the page before to us. Ids are UUIDv7, so id order is time order.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use millrace_contracts::Fault;
use uuid::Uuid;

use crate::problem::{Code, Problem};

/// Where a page begins: after this id, newest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cursor(pub(crate) Uuid);

/// Guards against ids pasted in place of a cursor, and leaves room for other forms.
const FORM: u8 = 1;

impl Cursor {
    /// The text a client sends back.
    pub(crate) fn encode(self) -> String {
        let mut bytes = [FORM; 17];
        bytes[1..].copy_from_slice(self.0.as_bytes());
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// The cursor that `text` is.
    pub(crate) fn decode(text: &str) -> Result<Self, Problem> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok();
        let id = bytes.as_deref().and_then(|bytes| match bytes {
            [FORM, id @ ..] => Uuid::from_slice(id).ok(),
            _ => None,
        });
        id.map(Self).ok_or_else(|| {
            let fault = Fault::new("INVALID_CURSOR", "/cursor", "this is not a cursor of this server").hint(
                "take `next_cursor` from the page before, unchanged, or leave `cursor` out to begin anew",
            );
            Problem::fault(Code::InvalidCursor, fault)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_survive_their_text() {
        let cursor = Cursor(Uuid::now_v7());
        assert_eq!(Cursor::decode(&cursor.encode()).unwrap(), cursor);
    }

    #[test]
    fn anything_else_is_refused_with_a_place() {
        for text in ["", "x", "AAAA", &Uuid::now_v7().to_string(), "=*"] {
            let problem = Cursor::decode(text).unwrap_err();
            assert_eq!(problem.code(), Code::InvalidCursor, "{text}");
            assert_eq!(problem.errors()[0].pointer, "/cursor");
        }
    }
}
