//! Pages of rows whose ids are UUIDv7: the order of ids is the order of time, so that the last id of a page is the cursor, and a
//! span of time is a span of ids, give or take.

use chrono::{DateTime, Utc};
use millrace_contracts::UnixMillis;
use uuid::Uuid;

/// How far an id and the time that is recorded with it may be apart, milliseconds: they are made one after the other.
const CLOCK_SLACK_MS: i64 = 60_000;

/// 9999-12-31T00:00:00Z, which both sides can represent.
const FAR_FUTURE: DateTime<Utc> = match DateTime::from_timestamp(253_402_214_400, 0) {
    Some(time) => time,
    None => DateTime::UNIX_EPOCH,
};

/// A page's limits, in ids and in time.
pub(crate) struct Bounds {
    pub(crate) first: Uuid,
    pub(crate) end: Uuid,
    pub(crate) limit: i64,
    pub(crate) from: DateTime<Utc>,
    pub(crate) to: DateTime<Utc>,
}

impl Bounds {
    /// Of `limit` rows at most, of times from the one to before the other, `before` this id.
    pub(crate) fn of(
        (from, to): (Option<UnixMillis>, Option<UnixMillis>),
        before: Option<Uuid>,
        limit: u32,
    ) -> Self {
        let first = from.map_or(Uuid::nil(), |from| first_id_at(from.0.saturating_sub(CLOCK_SLACK_MS)));
        let end = to.map_or(Uuid::max(), |to| first_id_at(to.0.saturating_add(CLOCK_SLACK_MS)));
        Self {
            first,
            end: before.map_or(end, |before| end.min(before)),
            limit: i64::from(limit),
            from: from.map_or(DateTime::UNIX_EPOCH, UnixMillis::to_utc),
            to: to.map_or(FAR_FUTURE, UnixMillis::to_utc),
        }
    }
}

/// The smallest UUIDv7 of a millisecond: its first 48 bits are the time.
pub(crate) fn first_id_at(unix_ms: i64) -> Uuid {
    let ms = u128::from(unix_ms.clamp(0, (1 << 48) - 1).unsigned_abs());
    Uuid::from_u128(ms << 80)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_made_at_a_time_lie_within_its_bounds() {
        let before = UnixMillis::now().0;
        let id = Uuid::now_v7();
        assert!(first_id_at(before) <= id);
        assert!(id < first_id_at(UnixMillis::now().0 + 1));
        assert_eq!(first_id_at(-5), Uuid::nil());
    }
}
