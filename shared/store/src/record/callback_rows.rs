//! `wf_executions`: what came of telling a run's `callback_url` of its end. Delivered is the last word.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use millrace_contracts::ExecutionId;
use sqlx::PgConnection;
use uuid::Uuid;

use super::change::CallbackChange;
use crate::{CallbackStatus, StoreError, json};

/// Writes each run's news.
pub(super) async fn update(
    connection: &mut PgConnection,
    callbacks: &BTreeMap<ExecutionId, CallbackChange>,
) -> Result<(), StoreError> {
    if callbacks.is_empty() {
        return Ok(());
    }
    let ids: Vec<Uuid> = callbacks.keys().map(|run| run.0).collect();
    let statuses: Vec<&str> = callbacks.values().map(|change| change.status.as_str()).collect();
    let attempts: Vec<Option<i32>> = callbacks
        .values()
        .map(|change| change.told.attempts.map(|count| i32::try_from(count).unwrap_or(i32::MAX)))
        .collect();
    let errors: Vec<Option<String>> = callbacks
        .values()
        .map(|change| change.told.error.as_ref().map(|error| json::plain(&error.to_string())))
        .collect();
    let ats: Vec<DateTime<Utc>> = callbacks.values().map(|change| change.at.to_utc()).collect();
    sqlx::query!(
        "update wf_executions stored set callback_status = told.status, callback_attempts = told.attempts,
            callback_error = told.error, callback_at = told.at
        from unnest($1::uuid[], $2::text[], $3::int[], $4::text[], $5::timestamptz[])
            as told (id, status, attempts, error, at)
        where stored.id = told.id and stored.callback_url is not null
            and stored.callback_status is distinct from $6",
        &ids,
        &statuses as &[&str],
        &attempts as &[Option<i32>],
        &errors as &[Option<String>],
        &ats,
        CallbackStatus::Delivered.as_str()
    )
    .execute(connection)
    .await?;
    Ok(())
}
