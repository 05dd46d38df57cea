//! `wf_schedules`: schedules as clients make and change them. What firings do to them is in `firing`.

mod firing;
mod last_runs;
mod near;

use millrace_contracts::schedule::ScheduleSpec;
use millrace_contracts::{ScheduleId, UnixMillis, WorkflowId};
use serde_json::Value;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::blob_uses::{self, Uses};
use crate::{Bounded, Expired, Store, StoreError, json};

pub use firing::{Firing, FiringOutcome};
pub use last_runs::LastRun;
pub use near::NearFiring;

/// A schedule.
#[derive(Debug, Clone, PartialEq)]
pub struct ScheduleRecord {
    /// The schedule.
    pub id: ScheduleId,
    /// The workflow that it runs.
    pub workflow_id: WorkflowId,
    /// What it starts, and when.
    pub spec: ScheduleSpec,
    /// Whether it fires.
    pub enabled: bool,
    /// Counts changes, from 1.
    pub revision: u32,
    /// The next firing, jitter not counted; none while it does not fire.
    pub next_at: Option<UnixMillis>,
    /// A firing that waits for an earlier run to end.
    pub waiting_at: Option<UnixMillis>,
    /// The last firing that was handled.
    pub last_at: Option<UnixMillis>,
    /// What became of it.
    pub last_outcome: Option<String>,
    /// Why it started nothing, if it failed.
    pub last_error: Option<String>,
    /// When it was made.
    pub created_at: UnixMillis,
    /// When it was last changed or fired.
    pub updated_at: UnixMillis,
}

/// What a client sets.
#[derive(Debug, Clone, PartialEq)]
pub struct NewSchedule {
    /// What it starts, and when.
    pub spec: ScheduleSpec,
    /// Whether it fires.
    pub enabled: bool,
    /// Its first firing; none when it is disabled.
    pub next_at: Option<UnixMillis>,
}

/// How many schedules there may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScheduleLimits {
    /// Of one workflow.
    pub per_workflow: u32,
    /// In all.
    pub total: u32,
}

/// The schedules.
#[derive(Debug, Clone, Copy)]
pub struct Schedules<'a> {
    store: &'a Store,
}

impl Store {
    /// The schedules.
    #[must_use]
    pub fn schedules(&self) -> Schedules<'_> {
        Schedules { store: self }
    }
}

struct Row {
    id: Uuid,
    workflow_id: Uuid,
    spec: Value,
    enabled: bool,
    revision: i32,
    next_at: Option<chrono::DateTime<chrono::Utc>>,
    waiting_at: Option<chrono::DateTime<chrono::Utc>>,
    last_at: Option<chrono::DateTime<chrono::Utc>>,
    last_outcome: Option<String>,
    last_error: Option<String>,
    created_at: chrono::DateTime<chrono::Utc>,
    updated_at: chrono::DateTime<chrono::Utc>,
    deleted_at: Option<chrono::DateTime<chrono::Utc>>,
}

impl Row {
    fn record(self) -> Result<ScheduleRecord, StoreError> {
        Ok(ScheduleRecord {
            id: ScheduleId(self.id),
            workflow_id: WorkflowId(self.workflow_id),
            spec: json::read("schedule", self.spec)?,
            enabled: self.enabled,
            revision: self.revision.unsigned_abs(),
            next_at: self.next_at.map(Into::into),
            waiting_at: self.waiting_at.map(Into::into),
            last_at: self.last_at.map(Into::into),
            last_outcome: self.last_outcome,
            last_error: self.last_error,
            created_at: self.created_at.into(),
            updated_at: self.updated_at.into(),
        })
    }
}

impl Schedules<'_> {
    /// Makes a schedule of a workflow.
    ///
    /// # Errors
    /// `Full` when there are as many as there may be, `NotFound` or `Gone` for the workflow, `Unavailable`.
    pub async fn create(
        &self,
        id: ScheduleId,
        workflow: WorkflowId,
        new: &NewSchedule,
        limits: ScheduleLimits,
    ) -> Result<ScheduleRecord, StoreError> {
        let mut transaction = self.store.begin().await?;
        // One at a time, so that the counts hold. Making schedules is rare.
        sqlx::query!("select pg_advisory_xact_lock(hashtext('wf_schedules'))::text")
            .fetch_one(&mut *transaction)
            .await?;
        check_workflow(&mut transaction, workflow).await?;
        let count = sqlx::query!(
            r#"select count(*) as "total!", count(*) filter (where workflow_id = $1) as "own!" from wf_schedules
            where deleted_at is null"#,
            workflow.0
        )
        .fetch_one(&mut *transaction)
        .await?;
        for (what, found, limit) in [
            (Bounded::SchedulesOfWorkflow, count.own, limits.per_workflow),
            (Bounded::Schedules, count.total, limits.total),
        ] {
            if found >= i64::from(limit) {
                return Err(StoreError::Full { what, limit });
            }
        }
        let row = sqlx::query_as!(
            Row,
            "insert into wf_schedules (id, workflow_id, spec, enabled, next_at) values ($1, $2, $3::text::jsonb, $4, $5)
            returning id, workflow_id, spec, enabled, revision, next_at, waiting_at, last_at, last_outcome, last_error,
                created_at, updated_at, deleted_at",
            id.0,
            workflow.0,
            json::text(&new.spec),
            new.enabled,
            new.next_at.map(UnixMillis::to_utc)
        )
        .fetch_one(&mut *transaction)
        .await?;
        record_uses(&mut transaction, id, new).await?;
        transaction.commit().await?;
        row.record()
    }

    /// Those of a workflow, newest first.
    ///
    /// # Errors
    /// `NotFound` or `Gone` for the workflow, `Corrupt`, `Unavailable`.
    pub async fn list(&self, workflow: WorkflowId) -> Result<Vec<ScheduleRecord>, StoreError> {
        let mut connection = self.store.connection().await?;
        check_workflow(&mut connection, workflow).await?;
        let rows = sqlx::query_as!(
            Row,
            "select id, workflow_id, spec, enabled, revision, next_at, waiting_at, last_at, last_outcome, last_error,
                created_at, updated_at, deleted_at
            from wf_schedules where workflow_id = $1 and deleted_at is null order by id desc",
            workflow.0
        )
        .fetch_all(&mut *connection)
        .await?;
        rows.into_iter().map(Row::record).collect()
    }

    /// One schedule.
    ///
    /// # Errors
    /// `NotFound`, `Gone`, `Corrupt`, `Unavailable`.
    pub async fn get(&self, id: ScheduleId) -> Result<ScheduleRecord, StoreError> {
        let row = sqlx::query_as!(
            Row,
            "select id, workflow_id, spec, enabled, revision, next_at, waiting_at, last_at, last_outcome, last_error,
                created_at, updated_at, deleted_at
            from wf_schedules where id = $1",
            id.0
        )
        .fetch_optional(&mut *self.store.connection().await?)
        .await?
        .ok_or(StoreError::NotFound("schedule"))?;
        if row.deleted_at.is_some() {
            return Err(StoreError::Gone("schedule"));
        }
        row.record()
    }

    /// Changes a schedule. With `expected`, only when that is still its revision (If-Match). A firing that waited is given up.
    ///
    /// # Errors
    /// `Stale`, `NotFound`, `Gone`, `Unavailable`.
    pub async fn put(
        &self,
        id: ScheduleId,
        expected: Option<u32>,
        new: &NewSchedule,
    ) -> Result<ScheduleRecord, StoreError> {
        let mut transaction = self.store.begin().await?;
        lock(&mut transaction, id, expected).await?;
        let row = sqlx::query_as!(
            Row,
            "update wf_schedules set spec = $2::text::jsonb, enabled = $3, next_at = $4, waiting_at = null,
                revision = revision + 1, updated_at = now()
            where id = $1
            returning id, workflow_id, spec, enabled, revision, next_at, waiting_at, last_at, last_outcome, last_error,
                created_at, updated_at, deleted_at",
            id.0,
            json::text(&new.spec),
            new.enabled,
            new.next_at.map(UnixMillis::to_utc)
        )
        .fetch_one(&mut *transaction)
        .await?;
        blob_uses::forget(&mut transaction, &[id.0]).await?;
        record_uses(&mut transaction, id, new).await?;
        transaction.commit().await?;
        row.record()
    }

    /// Deletes it. Its runs stay.
    ///
    /// # Errors
    /// `Stale`, `NotFound`, `Gone`, `Unavailable`.
    pub async fn delete(&self, id: ScheduleId, expected: Option<u32>) -> Result<(), StoreError> {
        let mut transaction = self.store.begin().await?;
        lock(&mut transaction, id, expected).await?;
        sqlx::query!(
            "update wf_schedules set deleted_at = now(), next_at = null, waiting_at = null, updated_at = now()
            where id = $1",
            id.0
        )
        .execute(&mut *transaction)
        .await?;
        blob_uses::forget(&mut transaction, &[id.0]).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Removes up to `limit` schedules that were deleted before `before`, with what they refer to: earlier versions left that
    /// behind where the whole workflow was deleted.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn expire(&self, before: UnixMillis, limit: u32) -> Result<Expired, StoreError> {
        let mut transaction = self.store.begin().await?;
        let deleted = sqlx::query_scalar!(
            "delete from wf_schedules where id in
                (select id from wf_schedules where deleted_at < $1 order by id limit $2)
            returning id",
            before.to_utc(),
            i64::from(limit)
        )
        .fetch_all(&mut *transaction)
        .await?;
        blob_uses::forget(&mut transaction, &deleted).await?;
        transaction.commit().await?;
        let deleted = deleted.len() as u64;
        Ok(Expired { deleted, more: deleted >= u64::from(limit) })
    }
}

/// What its input refers to.
async fn record_uses(
    connection: &mut PgConnection,
    id: ScheduleId,
    new: &NewSchedule,
) -> Result<(), StoreError> {
    let mut uses = Uses::default();
    uses.add_all(id.0, new.spec.input.values());
    uses.insert(connection).await
}

async fn check_workflow(connection: &mut PgConnection, id: WorkflowId) -> Result<(), StoreError> {
    let row = sqlx::query!("select deleted_at from wf_workflows where id = $1 for share", id.0)
        .fetch_optional(connection)
        .await?
        .ok_or(StoreError::NotFound("workflow"))?;
    if row.deleted_at.is_some() { Err(StoreError::Gone("workflow")) } else { Ok(()) }
}

async fn lock(
    connection: &mut PgConnection,
    id: ScheduleId,
    expected: Option<u32>,
) -> Result<(), StoreError> {
    let row = sqlx::query!("select revision, deleted_at from wf_schedules where id = $1 for update", id.0)
        .fetch_optional(connection)
        .await?
        .ok_or(StoreError::NotFound("schedule"))?;
    if row.deleted_at.is_some() {
        return Err(StoreError::Gone("schedule"));
    }
    let current = row.revision.unsigned_abs();
    match expected {
        Some(expected) if expected != current => Err(StoreError::Stale { current }),
        _ => Ok(()),
    }
}
