//! What was set aside, newest first.

use std::cmp::Reverse;

use millrace_contracts::{Partition, UnixMillis};

use super::place::{BuriedAt, BuriedIn};
use crate::keys::Keys;
use crate::reply::RawEntry;
use crate::{Bus, BusError, reply};

/// An entry of an inbox or of an events stream that was set aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Buried {
    /// Where it lies.
    pub at: BuriedAt,
    /// Since when, by Redis's clock.
    pub since: UnixMillis,
    /// Why.
    pub reason: String,
    /// What it says, as far as that is text; at most 64 KiB.
    pub content: String,
    /// Whether it can be put back: what is kept is all that it was.
    pub is_whole: bool,
}

impl Bus {
    /// The newest `limit` entries that were set aside, of all partitions' inboxes and events streams together.
    ///
    /// # Errors
    /// Redis could not be reached.
    pub async fn buried(&self, limit: usize) -> Result<Vec<Buried>, BusError> {
        let what = "read dead letters";
        let mut newest: Vec<Buried> = Vec::new();
        for partition in self.all_partitions() {
            for kind in BuriedIn::ALL {
                let dead = Keys::dead(&BuriedAt::stream(self.keys(), kind, partition));
                let mut read = redis::cmd("XREVRANGE");
                read.arg(dead).arg("+").arg("-").arg("COUNT").arg(limit);
                // One stream at a time: each may bring `limit` letters of 64 KiB.
                for reply in self.send(what, vec![read]).await? {
                    let letters = reply::entries(what, reply)?.into_iter();
                    newest.extend(letters.map(|raw| Buried::read(kind, partition, raw)));
                }
                newest.sort_by_key(|letter| Reverse(letter.since));
                newest.truncate(limit);
            }
        }
        Ok(newest)
    }
}

impl Buried {
    fn read(kind: BuriedIn, partition: Partition, raw: RawEntry) -> Self {
        let text = |field| {
            raw.get(field).map(|bytes| String::from_utf8_lossy(bytes).into_owned()).unwrap_or_default()
        };
        Self {
            since: raw.id.time().unwrap_or(UnixMillis(0)),
            reason: text("reason"),
            content: text("content"),
            is_whole: raw.get("field").is_some(),
            at: BuriedAt { kind, partition, entry: raw.id },
        }
    }
}
