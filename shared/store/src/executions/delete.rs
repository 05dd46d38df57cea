//! Deleting a run: what it said and made goes, its id stays as a tombstone that answers 410.

use millrace_contracts::ExecutionId;

use super::Executions;
use super::row::status;
use crate::{StoreError, blob_uses};

impl Executions<'_> {
    /// Deletes a run that has ended.
    ///
    /// # Errors
    /// `NotEnded` while it goes on, `NotFound`, `Gone`, `Unavailable`.
    pub async fn delete(&self, id: ExecutionId) -> Result<(), StoreError> {
        let mut transaction = self.store.begin().await?;
        let row = sqlx::query!(
            "select status, created_at, deleted_at from wf_executions where id = $1 for update",
            id.0
        )
        .fetch_optional(&mut *transaction)
        .await?
        .ok_or(StoreError::NotFound("execution"))?;
        if row.deleted_at.is_some() {
            return Err(StoreError::Gone("execution"));
        }
        if !status(&row.status)?.is_terminal() {
            return Err(StoreError::NotEnded);
        }
        sqlx::query!(
            "delete from wf_events where execution_id = $1 and time >= $2::timestamptz - interval '1 hour'",
            id.0,
            row.created_at
        )
        .execute(&mut *transaction)
        .await?;
        sqlx::query!("delete from wf_node_runs where execution_id = $1", id.0)
            .execute(&mut *transaction)
            .await?;
        sqlx::query!("delete from wf_inference_jobs where execution_id = $1", id.0)
            .execute(&mut *transaction)
            .await?;
        blob_uses::forget(&mut transaction, &[id.0]).await?;
        sqlx::query!(
            "update wf_executions set deleted_at = now(), input_data = '{}', output_data = null, node_metrics = null,
                error = null, error_message = null, accepted = null, callback_url = null, callback_error = null,
                idempotency_key = null, idempotency_digest = null, labels = case when wf_is_own_run(labels) then labels else '{}' end
            where id = $1",
            id.0
        )
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(())
    }
}
