//! One run.

use millrace_contracts::ExecutionId;
use millrace_contracts::message::Accepted;
use serde_json::{Map, Value};

use super::row::summary;
use super::{Callback, CallbackStatus, ExecutionRecord, Executions};
use crate::{StoreError, accept, definitions, json};

impl Executions<'_> {
    /// What is recorded of a run.
    ///
    /// # Errors
    /// `NotFound`, `Gone`, `Corrupt`, `Unavailable`.
    pub async fn get(&self, id: ExecutionId) -> Result<ExecutionRecord, StoreError> {
        let row = sqlx::query!(
            r#"select workflow_id, workflow_version, coalesce(sha256, '') as "sha256!", status, priority, pool, labels,
                created_at, started_at, completed_at, duration_ms, error_message, error, input_data, output_data, node_metrics, progress,
                inference_jobs_pending, inference_jobs_completed, inference_jobs_failed, trace_id, region,
                cost::float8 as cost, callback_url, callback_status, callback_attempts, callback_error,
                callback_at, batch_id, epoch, schedule_id, rerun_of, rerun_from, deleted_at
            from wf_executions where id = $1 and (accepted is not null or deleted_at is not null)"#,
            id.0
        )
        .fetch_optional(&mut *self.store.connection().await?)
        .await?
        .ok_or(StoreError::NotFound("execution"))?;
        if row.deleted_at.is_some() {
            return Err(StoreError::Gone("execution"));
        }
        let summary = summary!(row, id);
        Ok(ExecutionRecord {
            summary,
            definition: definitions::blob_id(&row.sha256)?,
            priority: json::read("priority", Value::String(row.priority))?,
            pool: row.pool.map(Into::into),
            input: json::read("run input", row.input_data)?,
            outputs: row.output_data,
            error: json::read_some("run error", row.error)?,
            progress: json::read_some("progress", row.progress)?,
            node_metrics: row.node_metrics,
            trace_id: row.trace_id,
            region: row.region,
            cost: row.cost,
            callback: row
                .callback_url
                .map(|url| {
                    let status = row.callback_status.map_or(Ok(CallbackStatus::Pending), |text| text.parse());
                    Ok::<_, StoreError>(Callback {
                        url,
                        status: status?,
                        attempts: row.callback_attempts.map(i32::unsigned_abs),
                        error: row.callback_error,
                        at: row.callback_at.map(Into::into),
                    })
                })
                .transpose()?,
            epoch: row.epoch.unsigned_abs(),
        })
    }

    /// The command of a run, complete, and its labels: what another run is made from that repeats it.
    ///
    /// # Errors
    /// `NotFound`, `Gone`, `Corrupt`, `Unavailable`.
    pub async fn accepted(&self, id: ExecutionId) -> Result<(Accepted, Map<String, Value>), StoreError> {
        let row = sqlx::query!(
            "select accepted, input_data, labels, deleted_at from wf_executions where id = $1",
            id.0
        )
        .fetch_optional(&mut *self.store.connection().await?)
        .await?
        .ok_or(StoreError::NotFound("execution"))?;
        if row.deleted_at.is_some() {
            return Err(StoreError::Gone("execution"));
        }
        let command = row.accepted.ok_or(StoreError::NotFound("execution"))?;
        Ok((accept::join(command, row.input_data)?, json::read("labels", row.labels)?))
    }
}
