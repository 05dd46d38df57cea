//! The place for entries that cannot be read or must not be tried again: a bounded stream beside the one they stood in,
//! with the reason. They never hold up the rest. Operators read them, and may have an inbox's or the writer's tried again.

mod list;
mod place;
mod redo;

use crate::keys::Keys;
use crate::reply::RawEntry;
use crate::{Bus, BusError, EntryId, scripts};

pub use list::Buried;
pub use place::{BuriedAt, BuriedIn};
pub use redo::Redone;

/// Dead letters kept per stream; the oldest go first.
const KEPT: usize = 10_000;
/// Of an unreadable entry's content so much is kept, bytes.
const CONTENT_LIMIT_BYTES: usize = 64 * 1024;

/// An entry to be set aside.
pub(crate) struct DeadLetter {
    pub(crate) stream: String,
    pub(crate) group: &'static str,
    pub(crate) entry: EntryId,
    pub(crate) reason: String,
    /// The field whose value `content` is; none when that is not the whole entry, which so cannot be put back.
    pub(crate) field: Option<String>,
    pub(crate) content: Vec<u8>,
}

impl DeadLetter {
    /// An entry whose content does not read; all its fields are kept.
    pub(crate) fn unreadable(stream: &str, group: &'static str, mut raw: RawEntry, reason: String) -> Self {
        let (field, content) = match raw.fields.pop() {
            Some((field, value)) if raw.fields.is_empty() => (Some(field), value),
            last => (None, lines(raw.fields.into_iter().chain(last))),
        };
        Self { stream: stream.to_owned(), group, entry: raw.id, reason, field, content }
    }
}

/// `field=value` lines.
fn lines(fields: impl Iterator<Item = (String, Vec<u8>)>) -> Vec<u8> {
    let mut content = Vec::new();
    for (field, value) in fields {
        content.extend_from_slice(field.as_bytes());
        content.push(b'=');
        content.extend_from_slice(&value);
        content.push(b'\n');
    }
    content
}

impl Bus {
    /// Sets entries aside; each is counted and logged once.
    pub(crate) async fn bury(&self, letters: Vec<DeadLetter>) -> Result<(), BusError> {
        let command = |letter: &DeadLetter| {
            let is_whole = letter.content.len() <= CONTENT_LIMIT_BYTES;
            let content = &letter.content[..letter.content.len().min(CONTENT_LIMIT_BYTES)];
            let field = letter.field.as_deref().filter(|_| is_whole).unwrap_or_default();
            let dead = Keys::dead(&letter.stream);
            let mut bury = scripts::BURY.on(&[&letter.stream, &dead], content.len() + 256);
            bury.arg(letter.group)
                .arg(letter.entry.as_str())
                .arg(&letter.reason)
                .arg(KEPT)
                .arg(content)
                .arg(field);
            bury
        };
        self.send("set dead letters aside", letters.iter().map(command).collect()).await?;
        for letter in letters {
            metrics::counter!("millrace_bus_dead_letters_total", "group" => letter.group).increment(1);
            tracing::error!(
                stream = letter.stream,
                entry = %letter.entry,
                reason = letter.reason,
                "set an entry aside as a dead letter"
            );
        }
        Ok(())
    }

    /// As [`Bus::bury`], for readers: when Redis fails, the readable part of the batch still goes to the caller, and
    /// the entry comes back by a later claim.
    pub(crate) async fn bury_what_can_be(&self, letters: Vec<DeadLetter>) {
        if let Err(error) = self.bury(letters).await {
            tracing::warn!(%error, "dead letters stay where they are until they are claimed again");
        }
    }
}
