//! Who holds an idempotency key.

use std::collections::HashMap;

use millrace_contracts::{BlobId, ExecutionId, WorkflowId};
use uuid::Uuid;

use super::Executions;
use crate::{StoreError, definitions};

/// The run that holds an idempotency key, as far as who sent the key again has to know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyHolder {
    /// The run.
    pub id: ExecutionId,
    /// The digest of what was asked for with the key; none where a release before this one accepted the run.
    pub digest: Option<BlobId>,
    /// The saved workflow, if it is one.
    pub workflow_id: Option<WorkflowId>,
    /// Its version.
    pub version: Option<u32>,
    /// What was run.
    pub definition: BlobId,
    /// W3C trace id.
    pub trace_id: Option<String>,
    /// The batch it belongs to.
    pub batch_id: Option<Uuid>,
}

impl Executions<'_> {
    /// The run that holds an idempotency key, if the key is still good. Ask before a run is handed to the bus: `accept`
    /// finds the earlier run too, but by then the later one would have been started.
    ///
    /// # Errors
    /// `Corrupt`, `Unavailable`.
    pub async fn by_idempotency_key(&self, key: &str) -> Result<Option<KeyHolder>, StoreError> {
        let holders = self.by_idempotency_keys(&[key.to_owned()]).await?;
        Ok(holders.into_iter().next().flatten())
    }

    /// The same for several, in their order.
    ///
    /// # Errors
    /// `Corrupt`, `Unavailable`.
    pub async fn by_idempotency_keys(&self, keys: &[String]) -> Result<Vec<Option<KeyHolder>>, StoreError> {
        let rows = sqlx::query!(
            r#"select idempotency_key as "key!", id, idempotency_digest, workflow_id, workflow_version,
                coalesce(sha256, '') as "sha256!", trace_id, batch_id
            from wf_executions
            where idempotency_key = any($1) and created_at >= now() - make_interval(secs => $2) and deleted_at is null"#,
            keys,
            self.store.idempotency_window.as_secs_f64()
        )
        .fetch_all(&mut *self.store.connection().await?)
        .await?;
        let mut holders = HashMap::with_capacity(rows.len());
        for row in rows {
            let holder = KeyHolder {
                id: ExecutionId(row.id),
                digest: row.idempotency_digest.as_deref().map(definitions::blob_id).transpose()?,
                workflow_id: row.workflow_id.map(WorkflowId),
                version: row.workflow_version.map(i32::unsigned_abs),
                definition: definitions::blob_id(&row.sha256)?,
                trace_id: row.trace_id,
                batch_id: row.batch_id,
            };
            holders.insert(row.key, holder);
        }
        Ok(keys.iter().map(|key| holders.remove(key)).collect())
    }
}
