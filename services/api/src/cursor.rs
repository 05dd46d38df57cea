//! Page cursors: opaque to clients, the last id of the page before to us. Most ids are UUIDv7, so that id order is time order;
//! where it is not, the cursor has the time too. What is listed by name has the name. The row it names need not be there any more.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use millrace_contracts::{Fault, UnixMillis};
use uuid::Uuid;

use crate::problem::{Code, Problem};

/// Where a page begins: after this id, newest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cursor(pub(crate) Uuid);

/// The same among rows whose ids do not sort by time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TimedCursor(pub(crate) UnixMillis, pub(crate) Uuid);

/// The same among what is listed by its name, in the order of the bytes: after this one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NameCursor(pub(crate) String);

/// Guards against ids pasted in place of a cursor, and cursors of one form in place of the other.
const FORM: u8 = 1;
const TIMED_FORM: u8 = 2;
const NAME_FORM: u8 = 3;

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
        id.map(Self).ok_or_else(invalid)
    }
}

impl TimedCursor {
    /// The text a client sends back.
    pub(crate) fn encode(self) -> String {
        let mut bytes = [TIMED_FORM; 25];
        bytes[1..9].copy_from_slice(&self.0.0.to_be_bytes());
        bytes[9..].copy_from_slice(self.1.as_bytes());
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// The cursor that `text` is.
    pub(crate) fn decode(text: &str) -> Result<Self, Problem> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok();
        let (time, id) = bytes
            .as_deref()
            .and_then(|bytes| bytes.strip_prefix(&[TIMED_FORM]))
            .and_then(<[u8]>::split_first_chunk::<8>)
            .ok_or_else(invalid)?;
        let (time, id) = (i64::from_be_bytes(*time), Uuid::from_slice(id).map_err(|_| invalid())?);
        // Postgres has no name for what is far before our time.
        if time < 0 { Err(invalid()) } else { Ok(Self(UnixMillis(time), id)) }
    }
}

impl NameCursor {
    /// The text a client sends back.
    pub(crate) fn encode(&self) -> String {
        let mut bytes = vec![NAME_FORM];
        bytes.extend_from_slice(self.0.as_bytes());
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// The cursor that `text` is.
    pub(crate) fn decode(text: &str) -> Result<Self, Problem> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok();
        let name = bytes.as_deref().and_then(|bytes| bytes.strip_prefix(&[NAME_FORM]));
        let name = name.and_then(|name| std::str::from_utf8(name).ok());
        name.map(|name| Self(name.to_owned())).ok_or_else(invalid)
    }
}

fn invalid() -> Problem {
    let fault = Fault::new("INVALID_CURSOR", "/cursor", "this is not a cursor of this server")
        .hint("take `next_cursor` from the page before, unchanged, or leave `cursor` out to begin anew");
    Problem::fault(Code::InvalidCursor, fault)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_survive_their_text() {
        let cursor = Cursor(Uuid::now_v7());
        assert_eq!(Cursor::decode(&cursor.encode()).unwrap(), cursor);
        let timed = TimedCursor(UnixMillis(7), Uuid::new_v4());
        assert_eq!(TimedCursor::decode(&timed.encode()).unwrap(), timed);
        let name = NameCursor("acme/parts-v3".to_owned());
        assert_eq!(NameCursor::decode(&name.encode()).unwrap(), name);
    }

    #[test]
    fn anything_else_is_refused_with_a_place() {
        let refused = |problem: Problem, text: &str| {
            assert_eq!(problem.code(), Code::InvalidCursor, "{text}");
            assert_eq!(problem.errors()[0].pointer, "/cursor");
        };
        let id = Uuid::now_v7();
        for text in ["", "x", "AAAA", &id.to_string(), "=*"] {
            refused(Cursor::decode(text).unwrap_err(), text);
            refused(TimedCursor::decode(text).unwrap_err(), text);
            refused(NameCursor::decode(text).unwrap_err(), text);
        }
        let (one, other) = (Cursor(id).encode(), TimedCursor(UnixMillis(1), id).encode());
        refused(TimedCursor::decode(&one).unwrap_err(), &one);
        refused(Cursor::decode(&other).unwrap_err(), &other);
        refused(NameCursor::decode(&other).unwrap_err(), &other);
        let early = TimedCursor(UnixMillis(i64::MIN), id).encode();
        refused(TimedCursor::decode(&early).unwrap_err(), &early);
    }
}
