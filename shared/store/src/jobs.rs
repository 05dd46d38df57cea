//! `wf_inference_jobs`: what workers were handed, and how it went.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use millrace_contracts::{ExecutionId, ItemPath, JobId, ModelId, NodeId, Pool, UnixMillis, WorkerId};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::{Store, StoreError};

/// Where a job stands; the last three are final.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum JobStatus {
    /// Known, not handed out.
    Pending,
    /// Handed to a pool.
    Queued,
    /// A worker has it. Never recorded, which would cost one more write for every job: its record is `queued` until it ends, with its
    /// `started_at`. Until then a job's start is told live (`inference:started`) and by the state of its run, which the api asks.
    Running,
    /// Done.
    Completed,
    /// This attempt failed.
    Failed,
    /// The run ended before it did.
    Cancelled,
}

impl JobStatus {
    const ALL: [Self; 6] =
        [Self::Pending, Self::Queued, Self::Running, Self::Completed, Self::Failed, Self::Cancelled];

    /// The name in the table.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }
}

impl fmt::Display for JobStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for JobStatus {
    type Err = StoreError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let known = Self::ALL.into_iter().find(|status| status.as_str() == text);
        known.ok_or_else(|| StoreError::corrupt("job status", text))
    }
}

/// A job's record.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct JobRecord {
    /// The job.
    pub id: JobId,
    /// Its run.
    pub execution_id: ExecutionId,
    /// Its node.
    pub node_id: NodeId,
    /// Its item.
    pub path: ItemPath,
    /// The block it ran.
    pub task: String,
    /// The model, if any.
    pub model_id: Option<ModelId>,
    /// Where the model comes from.
    pub model_source: Option<String>,
    /// The pool it was handed to.
    pub pool: Pool,
    /// Who ran it.
    pub worker_id: Option<WorkerId>,
    /// Where it stands.
    pub status: JobStatus,
    /// When it was queued.
    pub submitted_at: UnixMillis,
    /// When a worker took it.
    pub started_at: Option<UnixMillis>,
    /// When it ended.
    pub completed_at: Option<UnixMillis>,
    /// From taken to ended, milliseconds.
    pub duration_ms: Option<u64>,
    /// Output ports.
    pub result: Option<Value>,
    /// Why it failed.
    pub error_message: Option<String>,
    /// The kind of failure.
    pub error_kind: Option<String>,
    /// From 1.
    pub attempt: u32,
    /// Where the time went: `JobMetrics`.
    pub metadata: Value,
    /// What its share of the worker's time cost, in the operator's currency; none while its pool has no price.
    pub cost: Option<f64>,
}

/// Which jobs to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct JobFilter {
    /// Of this run only.
    pub execution_id: Option<ExecutionId>,
    /// In this status only.
    pub status: Option<JobStatus>,
    /// Of this model only.
    pub model_id: Option<ModelId>,
    /// Of this block only.
    pub task: Option<JobTask>,
}

/// The block that jobs are of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JobTask {
    /// One version of it, `detection@1`.
    Version(String),
    /// Whatever its version, `detection`.
    AnyVersion(String),
}

/// The recorded jobs.
#[derive(Debug, Clone, Copy)]
pub struct Jobs<'a> {
    store: &'a Store,
}

impl Store {
    /// The recorded jobs.
    #[must_use]
    pub fn jobs(&self) -> Jobs<'_> {
        Jobs { store: self }
    }
}

struct Row {
    id: Uuid,
    execution_id: Uuid,
    node_id: String,
    path: String,
    task: String,
    model_id: Option<String>,
    model_source: Option<String>,
    pool: String,
    worker_id: Option<String>,
    status: String,
    submitted_at: DateTime<Utc>,
    started_at: Option<DateTime<Utc>>,
    completed_at: Option<DateTime<Utc>>,
    duration_ms: Option<i64>,
    result: Option<Value>,
    error_message: Option<String>,
    error_kind: Option<String>,
    attempt: i32,
    metadata: Value,
    cost: Option<f64>,
}

impl TryFrom<Row> for JobRecord {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            id: JobId(row.id),
            execution_id: ExecutionId(row.execution_id),
            node_id: row.node_id.into(),
            path: ItemPath::from_str(&row.path).map_err(|error| StoreError::corrupt("item path", error))?,
            task: row.task,
            model_id: row.model_id.map(Into::into),
            model_source: row.model_source,
            pool: row.pool.into(),
            worker_id: row.worker_id.map(Into::into),
            status: row.status.parse()?,
            submitted_at: row.submitted_at.into(),
            started_at: row.started_at.map(Into::into),
            completed_at: row.completed_at.map(Into::into),
            duration_ms: row.duration_ms.map(i64::unsigned_abs),
            result: row.result,
            error_message: row.error_message,
            error_kind: row.error_kind,
            attempt: row.attempt.unsigned_abs(),
            metadata: row.metadata,
            cost: row.cost,
        })
    }
}

/// The select list and the order are the same for every way of finding jobs; only what leads differs.
macro_rules! jobs {
    ($condition:tt, $($argument:expr),+) => {
        sqlx::query_as!(
            Row,
            "select id, execution_id, node_id, path, task, model_id, model_source, pool, worker_id, status, submitted_at,
                started_at, completed_at, duration_ms, result, error_message, error_kind, attempt, metadata,
                cost::float8 as cost
            from wf_inference_jobs where " + $condition,
            $($argument),+
        )
    };
}

impl Jobs<'_> {
    /// One job.
    ///
    /// # Errors
    /// `NotFound`, `Corrupt`, `Unavailable`.
    pub async fn get(&self, id: JobId) -> Result<JobRecord, StoreError> {
        let row = jobs!("id = $1", id.0).fetch_optional(&mut *self.store.connection().await?).await?;
        row.ok_or(StoreError::NotFound("job"))?.try_into()
    }

    /// The newest `limit` jobs that match, after the last of the page before: when that was submitted, and its id. It need not
    /// be there any more.
    ///
    /// # Errors
    /// `Corrupt`, `Unavailable`.
    pub async fn list(
        &self,
        filter: &JobFilter,
        after: Option<(UnixMillis, JobId)>,
        limit: u32,
    ) -> Result<Vec<JobRecord>, StoreError> {
        // Job ids do not sort by time, so a page goes on after a time and, among equals, an id.
        let page = Page {
            run: filter.execution_id.map(|run| run.0),
            status: filter.status.map(JobStatus::as_str),
            model: filter.model_id.as_ref().map(ModelId::as_str),
            task: filter.task.as_ref().map(JobTask::pattern),
            after: after.map(|(submitted_at, _)| submitted_at.to_utc()),
            after_id: after.map(|(_, id)| id.0),
            limit: i64::from(limit),
        };
        page.read(self.store).await?.into_iter().map(JobRecord::try_from).collect()
    }
}

impl JobTask {
    /// As `like` takes it.
    fn pattern(&self) -> String {
        let (Self::Version(text) | Self::AnyVersion(text)) = self;
        let mut pattern = String::with_capacity(text.len() + 2);
        for letter in text.chars() {
            if matches!(letter, '%' | '_' | '\\') {
                pattern.push('\\');
            }
            pattern.push(letter);
        }
        if matches!(self, Self::AnyVersion(_)) {
            pattern.push_str("@%");
        }
        pattern
    }
}

/// One page's bounds, as Postgres is given them.
struct Page<'a> {
    run: Option<Uuid>,
    status: Option<&'a str>,
    model: Option<&'a str>,
    task: Option<String>,
    after: Option<DateTime<Utc>>,
    after_id: Option<Uuid>,
    limit: i64,
}

impl Page<'_> {
    /// Each way to ask has an index of its own, and so a statement of its own.
    async fn read(&self, store: &Store) -> Result<Vec<Row>, StoreError> {
        match (self.run, self.model, self.status) {
            (Some(run), ..) => self.of_run(run, store).await,
            (None, Some(model), _) => self.of_model(model, store).await,
            (None, None, Some(status)) => self.in_status(status, store).await,
            (None, None, None) => self.newest(store).await,
        }
    }

    async fn of_run(&self, run: Uuid, store: &Store) -> Result<Vec<Row>, StoreError> {
        let Self { status, model, ref task, after, after_id, limit, .. } = *self;
        jobs!(
            "execution_id = $1 and ($2::text is null or status = $2) and ($3::text is null or model_id = $3)
                and ($4::text is null or task like $4)
                and ($5::timestamptz is null or (submitted_at, id) < ($5, $6::uuid))
            order by submitted_at desc, id desc limit $7",
            run,
            status,
            model,
            task.as_deref(),
            after,
            after_id,
            limit
        )
        .fetch_all(&mut *store.connection().await?)
        .await
        .map_err(Into::into)
    }

    async fn of_model(&self, model: &str, store: &Store) -> Result<Vec<Row>, StoreError> {
        let Self { status, ref task, after, after_id, limit, .. } = *self;
        jobs!(
            "model_id = $1 and ($2::text is null or status = $2) and ($3::text is null or task like $3)
                and ($4::timestamptz is null or (submitted_at, id) < ($4, $5::uuid))
            order by submitted_at desc, id desc limit $6",
            model,
            status,
            task.as_deref(),
            after,
            after_id,
            limit
        )
        .fetch_all(&mut *store.connection().await?)
        .await
        .map_err(Into::into)
    }

    async fn in_status(&self, status: &str, store: &Store) -> Result<Vec<Row>, StoreError> {
        let Self { ref task, after, after_id, limit, .. } = *self;
        jobs!(
            "status = $1 and ($2::text is null or task like $2)
                and ($3::timestamptz is null or (submitted_at, id) < ($3, $4::uuid))
            order by submitted_at desc, id desc limit $5",
            status,
            task.as_deref(),
            after,
            after_id,
            limit
        )
        .fetch_all(&mut *store.connection().await?)
        .await
        .map_err(Into::into)
    }

    /// The index on (status, submitted_at) serves each status; the newest of all are among the newest of each.
    async fn newest(&self, store: &Store) -> Result<Vec<Row>, StoreError> {
        let Self { ref task, after, after_id, limit, .. } = *self;
        jobs!(
            "id in (
                select newest.id
                from unnest(array['pending', 'queued', 'running', 'completed', 'failed', 'cancelled']) as known (status)
                cross join lateral (
                    select job.id from wf_inference_jobs job
                    where job.status = known.status and ($2::text is null or job.task like $2)
                        and ($3::timestamptz is null or (job.submitted_at, job.id) < ($3, $4::uuid))
                    order by job.submitted_at desc, job.id desc limit $1) newest)
            order by submitted_at desc, id desc limit $1",
            limit,
            task.as_deref(),
            after,
            after_id
        )
        .fetch_all(&mut *store.connection().await?)
        .await
        .map_err(Into::into)
    }
}
