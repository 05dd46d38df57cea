//! What a firing needs to know and what it leaves behind. `next_at` is the fencing token: of two that handle the same firing,
//! one moves it, and the other finds it moved.

use millrace_contracts::{BlobId, ExecutionId, ScheduleId, UnixMillis};

use super::{ScheduleRecord, Schedules};
use crate::{StoreError, definitions};

/// Runs of one schedule that are looked at; with `allow` there may be more, and nobody asks.
const MAX_UNFINISHED: i64 = 100;

/// A schedule at the moment it fires.
#[derive(Debug, Clone, PartialEq)]
pub struct Firing {
    /// The schedule.
    pub schedule: ScheduleRecord,
    /// The version it runs now.
    pub version: u32,
    /// That version's definition.
    pub definition: BlobId,
    /// Its runs that, as far as the record knows, have not ended; oldest first, at most 100.
    pub unfinished: Vec<ExecutionId>,
}

/// What became of a firing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FiringOutcome {
    /// It started a run.
    Started,
    /// It waits.
    Waiting,
    /// It was left out.
    Skipped,
    /// It could not start a run, and trying again is no use.
    Failed(String),
}

impl FiringOutcome {
    /// As it is stored and counted.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Started => "started",
            Self::Waiting => "waiting",
            Self::Skipped => "skipped",
            Self::Failed(_) => "failed",
        }
    }
}

impl Schedules<'_> {
    /// The schedule with what a firing needs; none when it or its workflow is gone, or the version it is pinned to.
    ///
    /// # Errors
    /// `Corrupt`, `Unavailable`.
    pub async fn firing(&self, id: ScheduleId) -> Result<Option<Firing>, StoreError> {
        let schedule = match self.get(id).await {
            Ok(schedule) => schedule,
            Err(StoreError::NotFound(_) | StoreError::Gone(_)) => return Ok(None),
            Err(error) => return Err(error),
        };
        let target = sqlx::query!(
            "select v.version, v.sha256 from wf_workflows w
            join wf_workflow_versions v on v.workflow_id = w.id and v.version = coalesce($2, w.latest_version)
            where w.id = $1 and w.deleted_at is null",
            schedule.workflow_id.0,
            schedule.spec.version.map(|version| i32::try_from(version).unwrap_or(i32::MAX))
        )
        .fetch_optional(&mut *self.store.connection().await?)
        .await?;
        let Some(target) = target else { return Ok(None) };
        let unfinished = sqlx::query!(
            "select id from wf_executions
            where schedule_id = $1 and status in ('pending', 'running') and deleted_at is null order by id limit $2",
            id.0,
            MAX_UNFINISHED
        )
        .fetch_all(&mut *self.store.connection().await?)
        .await?;
        Ok(Some(Firing {
            schedule,
            version: target.version.unsigned_abs(),
            definition: definitions::blob_id(&target.sha256)?,
            unfinished: unfinished.into_iter().map(|row| ExecutionId(row.id)).collect(),
        }))
    }

    /// Notes what became of the firing at `due` and when the next one is. False when somebody else has done so, or the schedule
    /// was changed meanwhile: then nothing is written.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn fired(
        &self,
        id: ScheduleId,
        due: UnixMillis,
        outcome: &FiringOutcome,
        next_at: Option<UnixMillis>,
    ) -> Result<bool, StoreError> {
        let error = match outcome {
            FiringOutcome::Failed(reason) => Some(reason.as_str()),
            _ => None,
        };
        let done = sqlx::query!(
            "update wf_schedules set next_at = $3, last_at = $2, last_outcome = $4, last_error = $5, updated_at = now(),
                waiting_at = case when $4 = 'waiting' then $2 else waiting_at end
            where id = $1 and next_at = $2 and deleted_at is null",
            id.0,
            due.to_utc(),
            next_at.map(UnixMillis::to_utc),
            outcome.as_str(),
            error
        )
        .execute(&mut *self.store.connection().await?)
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Notes that the firing that waited since `due` has started, or failed to.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn waited(
        &self,
        id: ScheduleId,
        due: UnixMillis,
        outcome: &FiringOutcome,
    ) -> Result<(), StoreError> {
        let error = match outcome {
            FiringOutcome::Failed(reason) => Some(reason.as_str()),
            _ => None,
        };
        sqlx::query!(
            "update wf_schedules set waiting_at = null, last_outcome = $3, last_error = $4, updated_at = now()
            where id = $1 and waiting_at = $2",
            id.0,
            due.to_utc(),
            outcome.as_str(),
            error
        )
        .execute(&mut *self.store.connection().await?)
        .await?;
        Ok(())
    }
}
