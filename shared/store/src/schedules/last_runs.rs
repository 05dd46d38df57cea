//! The newest run of each of several schedules, for their pages.

use std::collections::HashMap;

use millrace_contracts::{ExecutionId, ExecutionStatus, ScheduleId, UnixMillis};
use uuid::Uuid;

use super::Schedules;
use crate::StoreError;

/// The newest run that a schedule started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LastRun {
    /// The run.
    pub id: ExecutionId,
    /// Where it stands.
    pub status: ExecutionStatus,
    /// When it was accepted.
    pub created_at: UnixMillis,
    /// When it ended.
    pub completed_at: Option<UnixMillis>,
}

impl Schedules<'_> {
    /// The newest run of each of `ids` that has one.
    ///
    /// # Errors
    /// `Corrupt`, `Unavailable`.
    pub async fn last_runs(&self, ids: &[ScheduleId]) -> Result<HashMap<ScheduleId, LastRun>, StoreError> {
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        let ids: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
        let rows = sqlx::query!(
            r#"select asked.id as "schedule_id!", run.id, run.status, run.created_at, run.completed_at
            from unnest($1::uuid[]) as asked (id)
            cross join lateral (
                select id, status, created_at, completed_at from wf_executions
                where schedule_id = asked.id and deleted_at is null order by id desc limit 1
            ) run"#,
            &ids
        )
        .fetch_all(&mut *self.store.connection().await?)
        .await?;
        rows.into_iter()
            .map(|row| {
                let run = LastRun {
                    id: ExecutionId(row.id),
                    status: crate::executions::row::status(&row.status)?,
                    created_at: row.created_at.into(),
                    completed_at: row.completed_at.map(Into::into),
                };
                Ok((ScheduleId(row.schedule_id), run))
            })
            .collect()
    }
}
