//! Taking over entries whose consumer has been silent, with the number of times each was delivered.

use std::time::Duration;

use redis::Value;

use crate::reply::{self, RawEntry};
use crate::{Bus, BusError, EntryId, scripts};

/// Which entries are taken over, by how often each has been delivered then, this time included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Chance {
    /// However often.
    Any,
    /// All but those that are delivered for the so-manieth time.
    But(u32),
    /// Only those.
    Only(u32),
}

/// Who takes over, and what.
pub(crate) struct Claim<'a> {
    pub(crate) group: &'static str,
    pub(crate) consumer: &'a str,
    pub(crate) min_idle: Duration,
    pub(crate) max: usize,
    pub(crate) chance: Chance,
    /// Entries that the consumer is at work on, each with its stream's position: left alone.
    pub(crate) in_hand: Vec<(usize, &'a EntryId)>,
}

/// What was taken over.
pub(crate) struct Claims {
    pub(crate) found: Vec<Claimed>,
    /// How many were met that [`Chance::But`] leaves; not all of them where enough others were found.
    pub(crate) left: u64,
}

/// An entry taken over.
pub(crate) struct Claimed {
    /// Position of its stream among those asked for.
    pub(crate) stream: usize,
    pub(crate) raw: RawEntry,
    pub(crate) deliveries: u32,
}

impl Bus {
    /// Takes over stale entries of `streams`, which share a hash tag.
    pub(crate) async fn claim(&self, streams: &[&str], claim: &Claim<'_>) -> Result<Claims, BusError> {
        let what = "take over stale entries";
        let mut command = scripts::CLAIM.on(streams, 256);
        let idle_ms = u64::try_from(claim.min_idle.as_millis()).unwrap_or(u64::MAX);
        let (number, kind) = match claim.chance {
            Chance::Any => (0, "but"),
            Chance::But(number) => (number, "but"),
            Chance::Only(number) => (number, "only"),
        };
        command.arg(claim.group).arg(claim.consumer).arg(idle_ms).arg(claim.max).arg(number).arg(kind);
        for (stream, entry) in &claim.in_hand {
            // Streams are numbered from 1 there.
            command.arg(format!("{} {}", stream + 1, entry.as_str()));
        }
        let reply = self.send(what, vec![command]).await?.pop().unwrap_or(Value::Nil);
        let [left, found] = reply::tuple(what, reply)?;
        let found = reply::array(what, found)?.into_iter().map(|entry| claimed(what, entry));
        Ok(Claims { found: found.collect::<Result<_, _>>()?, left: reply::count(what, left)? })
    }
}

fn claimed(what: &'static str, value: Value) -> Result<Claimed, BusError> {
    let [stream, id, deliveries, content] = reply::tuple(what, value)?;
    let stream = reply::count(what, stream)?.checked_sub(1).and_then(|number| usize::try_from(number).ok());
    let stream = stream.ok_or(BusError::Reply { what, detail: "streams are numbered from 1".to_owned() })?;
    let deliveries = u32::try_from(reply::count(what, deliveries)?).unwrap_or(u32::MAX);
    let raw = RawEntry { id: EntryId(reply::text(what, id)?), fields: reply::fields(what, content)? };
    Ok(Claimed { stream, raw, deliveries })
}
