//! Where a dead letter lies, as text that an operator can name it by: `inbox:3:1700000000000-0`.

use std::fmt;
use std::str::FromStr;

use millrace_contracts::Partition;
use millrace_contracts::ids::IdError;

use crate::EntryId;
use crate::keys::Keys;

/// Whose stream an entry stood in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BuriedIn {
    /// An orchestrators' inbox.
    Inbox,
    /// What the writer is to record.
    Events,
}

impl BuriedIn {
    pub(super) const ALL: [Self; 2] = [Self::Inbox, Self::Events];

    fn as_str(self) -> &'static str {
        match self {
            Self::Inbox => "inbox",
            Self::Events => "events",
        }
    }
}

/// The place of a dead letter of the inboxes or of the writer. Jobs have none: one that was set aside is reported as failed, and
/// its run has gone on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuriedAt {
    /// Whose stream it stood in.
    pub kind: BuriedIn,
    pub(super) partition: Partition,
    pub(super) entry: EntryId,
}

impl BuriedAt {
    /// The stream it stood in.
    pub(super) fn stream(keys: &Keys, kind: BuriedIn, partition: Partition) -> String {
        match kind {
            BuriedIn::Inbox => keys.inbox(partition),
            BuriedIn::Events => keys.events(partition),
        }
    }
}

impl fmt::Display for BuriedAt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.kind.as_str(), self.partition, self.entry)
    }
}

impl FromStr for BuriedAt {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let read = || {
            let (kind, rest) = text.split_once(':')?;
            let kind = BuriedIn::ALL.into_iter().find(|known| known.as_str() == kind)?;
            let (partition, entry) = rest.split_once(':')?;
            let (time, number) = entry.split_once('-')?;
            let (_, _): (u64, u64) = (time.parse().ok()?, number.parse().ok()?);
            Some(Self {
                kind,
                partition: Partition(partition.parse().ok()?),
                entry: EntryId(entry.to_owned()),
            })
        };
        read().ok_or_else(|| IdError { what: "dead letter", value: text.chars().take(80).collect() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_survives_its_text_and_nothing_else_is_one() {
        for text in ["inbox:3:1700000000000-0", "events:15:1-2"] {
            assert_eq!(text.parse::<BuriedAt>().unwrap().to_string(), text);
        }
        for text in [
            "",
            "inbox",
            "inbox:3",
            "inbox:3:+",
            "inbox:x:1-0",
            "jobs:3:1-0",
            "inbox:3:1-0-0",
            "record:e/1-2",
        ] {
            assert!(text.parse::<BuriedAt>().is_err(), "{text}");
        }
    }
}
