//! What the workflows of runs are called, for lists.

use std::collections::HashMap;

use millrace_contracts::ExecutionId;
use serde_json::Value;

use super::Executions;
use crate::StoreError;

/// An unsaved definition that takes more bytes than this is not read for its name.
const MAX_DEFINITION_BYTES: i32 = 8 * 1024;

impl Executions<'_> {
    /// The names of the workflows that these runs are of: a saved one's as it is now, an unsaved definition's own. None of what
    /// has no name, or is too large to be read for one.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn workflow_names(
        &self,
        runs: &[ExecutionId],
    ) -> Result<HashMap<ExecutionId, String>, StoreError> {
        let ids: Vec<_> = runs.iter().map(|run| run.0).collect();
        // The name is not taken by Postgres: it refuses a document that has \u0000 anywhere.
        let rows = sqlx::query!(
            r#"select e.id as "id!", w.name as "name?", d.definition as "definition?"
            from wf_executions e
            left join wf_workflows w on w.id = e.workflow_id
            left join wf_definitions d on d.sha256 = e.sha256 and e.workflow_id is null and pg_column_size(d.definition) <= $2
            where e.id = any($1)"#,
            &ids,
            MAX_DEFINITION_BYTES
        )
        .fetch_all(&mut *self.store.connection().await?)
        .await?;
        let own = |definition: Value| definition.get("name").and_then(Value::as_str).map(str::to_owned);
        Ok(rows
            .into_iter()
            .filter_map(|row| Some((ExecutionId(row.id), row.name.or_else(|| row.definition.and_then(own))?)))
            .collect())
    }
}
