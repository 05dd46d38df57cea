//! What the reconciler compares with the timers in Redis: firings that are near, late or waiting.

use millrace_contracts::{ScheduleId, UnixMillis};

use super::Schedules;
use crate::StoreError;

/// A schedule that fires soon, should have fired, or has a firing that waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NearFiring {
    /// The schedule.
    pub id: ScheduleId,
    /// Its next firing, jitter not counted, if that is near.
    pub next_at: Option<UnixMillis>,
    /// How far its firings are spread, milliseconds.
    pub jitter_ms: u64,
    /// Whether a firing waits.
    pub waits: bool,
}

impl Schedules<'_> {
    /// Schedules that fire before `before` or have a firing that waits, by id from after `after`, at most `limit`.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn near(
        &self,
        before: UnixMillis,
        after: Option<ScheduleId>,
        limit: u32,
    ) -> Result<Vec<NearFiring>, StoreError> {
        let rows = sqlx::query!(
            r#"select id, case when next_at < $1 then next_at end as next_at,
                coalesce((spec ->> 'jitter_ms')::bigint, 0) as "jitter_ms!", waiting_at is not null as "waits!"
            from wf_schedules
            where deleted_at is null and (next_at < $1 or waiting_at is not null)
                and id > coalesce($2, '00000000-0000-0000-0000-000000000000'::uuid)
            order by id limit $3"#,
            before.to_utc(),
            after.map(|id| id.0),
            i64::from(limit)
        )
        .fetch_all(&mut *self.store.connection().await?)
        .await?;
        Ok(rows
            .into_iter()
            .map(|row| NearFiring {
                id: ScheduleId(row.id),
                next_at: row.next_at.map(Into::into),
                jitter_ms: row.jitter_ms.unsigned_abs(),
                waits: row.waits,
            })
            .collect())
    }
}
