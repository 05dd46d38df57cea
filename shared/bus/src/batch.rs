//! What a read brought, sorted: entries that read go to the caller, the others aside.

use serde::de::DeserializeOwned;

use crate::dead_letters::DeadLetter;
use crate::reply::RawEntry;
use crate::{Bus, EntryId};

/// Entries of one group's streams.
pub(crate) struct Batch<T> {
    group: &'static str,
    pub(crate) readable: Vec<T>,
    unreadable: Vec<DeadLetter>,
}

impl<T> Batch<T> {
    pub(crate) fn new(group: &'static str) -> Self {
        Self { group, readable: Vec::new(), unreadable: Vec::new() }
    }

    /// Sorts one entry in: what `decode` makes of it, with its id, becomes a `T`.
    pub(crate) fn add<C>(
        &mut self,
        stream: &str,
        raw: RawEntry,
        decode: impl FnOnce(&RawEntry) -> Result<C, String>,
        deliver: impl FnOnce(EntryId, C) -> T,
    ) {
        match decode(&raw) {
            Ok(content) => self.readable.push(deliver(raw.id, content)),
            Err(reason) => self.unreadable.push(DeadLetter::unreadable(stream, self.group, raw, reason)),
        }
    }

    /// Appends what reads to `ready`, then sets aside what does not. `ready` outlives the call's future, so that a
    /// caller who goes away in between loses nothing.
    pub(crate) async fn finish(self, bus: &Bus, ready: &mut impl Extend<T>) {
        ready.extend(self.readable);
        bus.bury_what_can_be(self.unreadable).await;
    }
}

/// The JSON in `field`, which holds `what`.
pub(crate) fn json<C: DeserializeOwned>(raw: &RawEntry, field: &str, what: &str) -> Result<C, String> {
    let bytes = raw.get(field).ok_or_else(|| format!("it has no {what}"))?;
    serde_json::from_slice(bytes).map_err(|error| format!("not a readable {what}: {error}"))
}
