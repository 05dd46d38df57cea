//! What is compared with Redis: runs that were accepted and, as far as the record knows, have not ended.

use chrono::{DateTime, Utc};
use millrace_contracts::message::Accepted;
use millrace_contracts::{ExecutionId, ExecutionStatus, UnixMillis};
use serde_json::Value;
use uuid::Uuid;

use super::Executions;
use super::row::status;
use crate::{StoreError, accept};

/// An accepted run without a recorded end.
#[derive(Debug, Clone, PartialEq)]
pub struct Unfinished {
    /// The command, complete, as it was accepted.
    pub accepted: Accepted,
    /// Pending or running.
    pub status: ExecutionStatus,
    /// The highest epoch of a log that was recorded, or that the run was begun again with: a rebuilt run takes the next. None
    /// when there was none.
    pub last_epoch: Option<u32>,
    /// When it began, as far as that was recorded.
    pub started_at: Option<UnixMillis>,
}

impl Unfinished {
    /// The run as it is begun again: with the next epoch, since clients may have seen numbers that were never recorded.
    /// [`Executions::claim_epoch`] comes first.
    #[must_use]
    pub fn begun_again(self) -> Accepted {
        let epoch = self.last_epoch.unwrap_or(self.accepted.epoch) + 1;
        Accepted { epoch, started_at: self.started_at, ..self.accepted }
    }
}

/// Columns of a run's row.
struct Row {
    accepted: Value,
    input_data: Value,
    status: String,
    epoch: i32,
    restarted_epoch: Option<i32>,
    started_at: Option<DateTime<Utc>>,
}

impl Row {
    fn unfinished(self) -> Result<Unfinished, StoreError> {
        let accepted = accept::join(self.accepted, self.input_data)?;
        let (status, epoch) = (status(&self.status)?, self.epoch.unsigned_abs());
        let begun = status == ExecutionStatus::Running || epoch > 1;
        let restarted = self.restarted_epoch.map(i32::unsigned_abs);
        let last_epoch = begun.then_some(epoch).max(restarted);
        Ok(Unfinished { accepted, status, last_epoch, started_at: self.started_at.map(UnixMillis::from) })
    }
}

impl Executions<'_> {
    /// The run, if it is an unfinished one.
    ///
    /// # Errors
    /// `Corrupt`, `Unavailable`.
    pub async fn unfinished_run(&self, id: ExecutionId) -> Result<Option<Unfinished>, StoreError> {
        let row = sqlx::query_as!(
            Row,
            r#"select accepted as "accepted!", input_data, status, epoch, restarted_epoch, started_at
            from wf_executions
            where id = $1 and status in ('pending', 'running') and accepted is not null and deleted_at is null"#,
            id.0
        )
        .fetch_optional(&mut *self.store.connection().await?)
        .await?;
        row.map(Row::unfinished).transpose()
    }

    /// Up to `limit` unfinished runs accepted before `older_than`, oldest first; `after` is the last id of the call before,
    /// so that a sweep can go through all of them in small steps.
    ///
    /// # Errors
    /// `Corrupt`, `Unavailable`.
    pub async fn unfinished(
        &self,
        older_than: UnixMillis,
        after: Option<ExecutionId>,
        limit: u32,
    ) -> Result<Vec<Unfinished>, StoreError> {
        let rows = sqlx::query_as!(
            Row,
            r#"select accepted as "accepted!", input_data, status, epoch, restarted_epoch, started_at
            from wf_executions
            where id > $1 and status in ('pending', 'running') and accepted is not null and deleted_at is null
                and created_at < $2
            order by id limit $3"#,
            after.map_or(Uuid::nil(), |id| id.0),
            older_than.to_utc(),
            i64::from(limit)
        )
        .fetch_all(&mut *self.store.connection().await?)
        .await?;
        rows.into_iter().map(Row::unfinished).collect()
    }

    /// Notes that a lost run is about to be begun again with `epoch`. False when it was already, with this epoch or a later one,
    /// or has ended or been deleted: then it is somebody else's.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn claim_epoch(&self, id: ExecutionId, epoch: u32) -> Result<bool, StoreError> {
        let claimed = sqlx::query!(
            "update wf_executions set restarted_epoch = $2
            where id = $1 and coalesce(restarted_epoch, 0) < $2 and epoch < $2
                and status in ('pending', 'running') and deleted_at is null",
            id.0,
            i32::try_from(epoch).unwrap_or(i32::MAX)
        )
        .execute(&mut *self.store.connection().await?)
        .await?;
        Ok(claimed.rows_affected() == 1)
    }
}
