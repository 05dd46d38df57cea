//! Old runs go, a few at a time. What has not ended stays, however old it is.

use millrace_contracts::UnixMillis;
use uuid::Uuid;

use super::Executions;
use crate::paging::first_id_at;
use crate::{StoreError, blob_uses};

impl Executions<'_> {
    /// Deletes up to `limit` runs that ended before `before`, the oldest first, with all that is recorded of them; returns how
    /// many. Ids that were deleted by hand and answered 410 until now are unknown afterwards.
    ///
    /// # Errors
    /// `Unavailable`: nothing was deleted.
    pub async fn expire(&self, before: UnixMillis, limit: u32) -> Result<u64, StoreError> {
        let mut transaction = self.store.begin().await?;
        // A row that never got its command is no run that could go on. Rows that somebody works on wait for the next step.
        let old = sqlx::query!(
            "select id, created_at from wf_executions
            where id < $1 and (completed_at < $2 and status not in ('pending', 'running')
                or accepted is null and deleted_at is null and created_at < $2)
            order by id limit $3 for update skip locked",
            first_id_at(before.0),
            before.to_utc(),
            i64::from(limit)
        )
        .fetch_all(&mut *transaction)
        .await?;
        let Some(oldest) = old.iter().map(|row| row.created_at).min() else { return Ok(0) };
        let ids: Vec<Uuid> = old.iter().map(|row| row.id).collect();
        // Where events are kept longer than runs. The bound spares the partitions of days before.
        sqlx::query!(
            "delete from wf_events where execution_id = any($1) and time >= $2::timestamptz - interval '1 hour'",
            &ids,
            oldest
        )
        .execute(&mut *transaction)
        .await?;
        sqlx::query!("delete from wf_node_runs where execution_id = any($1)", &ids)
            .execute(&mut *transaction)
            .await?;
        sqlx::query!("delete from wf_inference_jobs where execution_id = any($1)", &ids)
            .execute(&mut *transaction)
            .await?;
        blob_uses::forget(&mut transaction, &ids).await?;
        sqlx::query!("delete from wf_executions where id = any($1)", &ids).execute(&mut *transaction).await?;
        transaction.commit().await?;
        Ok(ids.len() as u64)
    }

    /// When the oldest run was accepted that has not ended.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn oldest_unfinished(&self) -> Result<Option<UnixMillis>, StoreError> {
        let oldest = sqlx::query_scalar!(
            "select created_at from wf_executions
            where status in ('pending', 'running') and accepted is not null and deleted_at is null
            order by id limit 1"
        )
        .fetch_optional(&mut *self.store.connection().await?)
        .await?;
        Ok(oldest.map(Into::into))
    }
}
