//! The place of an entry in its stream.

use std::fmt;

use millrace_contracts::UnixMillis;

/// A Redis stream id, `<ms>-<n>`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EntryId(pub String);

impl EntryId {
    /// The id as Redis writes it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// When it was appended, by Redis's clock; none for ids that are not times.
    #[must_use]
    pub fn time(&self) -> Option<UnixMillis> {
        self.0.split_once('-')?.0.parse().ok().map(UnixMillis)
    }
}

impl fmt::Display for EntryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
