//! Runs newest first, filtered, a page at a time. Ids are UUIDv7: their order is the order of time, the last id of a page is
//! the cursor, and pages stay stable while new runs arrive.

use chrono::{DateTime, Utc};
use millrace_contracts::{ExecutionId, ExecutionStatus, ScheduleId, UnixMillis, WorkflowId};
use serde_json::{Value, json};
use uuid::Uuid;

use super::row::summary;
use super::{ExecutionSummary, Executions};
use crate::paging::Bounds;
use crate::{Store, StoreError};

/// The label, name and value, of runs that the api makes for its own ends, such as thumbnails. `wf_is_own_run` knows them by it:
/// lists of everything, or of everything in a status, leave them out, and so do reports that count runs.
pub const OWN_LABEL: (&str, &str) = ("millrace", "thumbnail");

/// Which runs to list; all of the conditions hold for each.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExecutionFilter {
    /// In this status.
    pub status: Option<ExecutionStatus>,
    /// Of this saved workflow.
    pub workflow_id: Option<WorkflowId>,
    /// With this label, name and value.
    pub label: Option<(String, String)>,
    /// Of this batch.
    pub batch_id: Option<Uuid>,
    /// Started by this schedule.
    pub schedule_id: Option<ScheduleId>,
    /// Repeating this run.
    pub rerun_of: Option<ExecutionId>,
    /// Accepted at this time or later.
    pub from: Option<UnixMillis>,
    /// Accepted before this time.
    pub to: Option<UnixMillis>,
}

struct Row {
    id: Uuid,
    workflow_id: Option<Uuid>,
    workflow_version: Option<i32>,
    status: String,
    labels: Value,
    created_at: DateTime<Utc>,
    started_at: Option<DateTime<Utc>>,
    completed_at: Option<DateTime<Utc>>,
    duration_ms: Option<i64>,
    error_message: Option<String>,
    inference_jobs_pending: i32,
    inference_jobs_completed: i32,
    inference_jobs_failed: i32,
    batch_id: Option<Uuid>,
    schedule_id: Option<Uuid>,
    rerun_of: Option<Uuid>,
    rerun_from: Option<String>,
}

impl TryFrom<Row> for ExecutionSummary {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(summary!(row, ExecutionId(row.id)))
    }
}

/// One statement per leading condition: "this or null" in a condition that should lead would keep a prepared statement from
/// using the index. `$1` and `$2` bound the id, `$3` is the page's size, and the rest only narrows.
macro_rules! page {
    ($bounds:expr, $leading:tt $(, $argument:expr)*) => {
        sqlx::query_as!(
            Row,
            "select id, workflow_id, workflow_version, status, labels, created_at, started_at, completed_at, duration_ms,
                error_message, inference_jobs_pending, inference_jobs_completed, inference_jobs_failed, batch_id,
                schedule_id, rerun_of, rerun_from
            from wf_executions
            where id >= $1 and id < $2 and accepted is not null and deleted_at is null and created_at >= $4 and created_at < $5 and "
                + $leading
                + " order by id desc limit $3",
            $bounds.first,
            $bounds.end,
            $bounds.limit,
            $bounds.from,
            $bounds.to
            $(, $argument)*
        )
    };
}

impl Executions<'_> {
    /// A page of runs, newest first; `before` is the last id of the page before.
    ///
    /// # Errors
    /// `Corrupt`, `Unavailable`.
    pub async fn list(
        &self,
        filter: &ExecutionFilter,
        before: Option<ExecutionId>,
        limit: u32,
    ) -> Result<Vec<ExecutionSummary>, StoreError> {
        let query = Query {
            store: self.store,
            bounds: Bounds::of((filter.from, filter.to), before.map(|id| id.0), limit),
            status: filter.status.map(ExecutionStatus::as_str),
            workflow: filter.workflow_id.map(|id| id.0),
            label: filter.label.as_ref().map(|(name, value)| json!({ name: value })),
            batch: filter.batch_id,
            schedule: filter.schedule_id.map(|id| id.0),
        };
        // The most selective condition leads.
        let rows = if let Some(earlier) = filter.rerun_of {
            query.repeating(earlier.0).await
        } else if let Some(batch) = query.batch {
            query.of_batch(batch).await
        } else if let Some(schedule) = query.schedule {
            query.of_schedule(schedule).await
        } else {
            match (query.workflow, &query.label, query.status) {
                (Some(workflow), ..) => query.of_workflow(workflow).await,
                (None, Some(label), _) => query.with_label(label).await,
                (None, None, Some(status)) => query.in_status(status).await,
                (None, None, None) => query.of_all().await,
            }
        };
        rows?.into_iter().map(ExecutionSummary::try_from).collect()
    }
}

/// What a page is made from.
struct Query<'a> {
    store: &'a Store,
    bounds: Bounds,
    status: Option<&'static str>,
    workflow: Option<Uuid>,
    label: Option<Value>,
    batch: Option<Uuid>,
    schedule: Option<Uuid>,
}

impl Query<'_> {
    async fn repeating(&self, earlier: Uuid) -> Result<Vec<Row>, StoreError> {
        page!(
            self.bounds,
            "rerun_of = $6 and ($7::text is null or status = $7)
                and ($8::uuid is null or workflow_id = $8) and ($9::jsonb is null or labels @> $9)
                and ($10::uuid is null or batch_id = $10) and ($11::uuid is null or schedule_id = $11)",
            earlier,
            self.status,
            self.workflow,
            self.label,
            self.batch,
            self.schedule
        )
        .fetch_all(&mut *self.store.connection().await?)
        .await
        .map_err(Into::into)
    }

    async fn of_schedule(&self, schedule: Uuid) -> Result<Vec<Row>, StoreError> {
        page!(
            self.bounds,
            "schedule_id = $6 and ($7::text is null or status = $7)
                and ($8::uuid is null or workflow_id = $8) and ($9::jsonb is null or labels @> $9)",
            schedule,
            self.status,
            self.workflow,
            self.label
        )
        .fetch_all(&mut *self.store.connection().await?)
        .await
        .map_err(Into::into)
    }

    async fn of_batch(&self, batch: Uuid) -> Result<Vec<Row>, StoreError> {
        page!(
            self.bounds,
            "batch_id = $6 and ($7::text is null or status = $7)
                and ($8::uuid is null or workflow_id = $8) and ($9::jsonb is null or labels @> $9)
                and ($10::uuid is null or schedule_id = $10)",
            batch,
            self.status,
            self.workflow,
            self.label,
            self.schedule
        )
        .fetch_all(&mut *self.store.connection().await?)
        .await
        .map_err(Into::into)
    }

    async fn of_workflow(&self, workflow: Uuid) -> Result<Vec<Row>, StoreError> {
        page!(
            self.bounds,
            "workflow_id = $6 and ($7::text is null or status = $7) and ($8::jsonb is null or labels @> $8)",
            workflow,
            self.status,
            self.label
        )
        .fetch_all(&mut *self.store.connection().await?)
        .await
        .map_err(Into::into)
    }

    async fn with_label(&self, label: &Value) -> Result<Vec<Row>, StoreError> {
        page!(
            self.bounds,
            "labels <> '{}'::jsonb and labels @> $6 and ($7::text is null or status = $7)",
            label,
            self.status
        )
        .fetch_all(&mut *self.store.connection().await?)
        .await
        .map_err(Into::into)
    }

    async fn in_status(&self, status: &str) -> Result<Vec<Row>, StoreError> {
        let rows = page!(self.bounds, "status = $6 and not wf_is_own_run(labels)", status);
        Ok(rows.fetch_all(&mut *self.store.connection().await?).await?)
    }

    async fn of_all(&self) -> Result<Vec<Row>, StoreError> {
        let rows = page!(self.bounds, "not wf_is_own_run(labels)");
        Ok(rows.fetch_all(&mut *self.store.connection().await?).await?)
    }
}
