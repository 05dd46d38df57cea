//! `wf_events`: reading a run's log back, and the partitions it is kept in.

use std::str::FromStr;

use chrono::NaiveDate;
use millrace_contracts::event::LogPosition;
use millrace_contracts::{Event, EventType, ExecutionId, ItemPath, WorkflowId};
use serde_json::Value;
use uuid::Uuid;

use crate::{Store, StoreError};

/// The recorded events.
#[derive(Debug, Clone, Copy)]
pub struct Events<'a> {
    store: &'a Store,
}

impl Store {
    /// The recorded events.
    #[must_use]
    pub fn events(&self) -> Events<'_> {
        Events { store: self }
    }
}

struct Row {
    execution_id: Uuid,
    epoch: i32,
    seq: i64,
    time: chrono::DateTime<chrono::Utc>,
    kind: String,
    id: String,
    source: String,
    workflow_id: Option<Uuid>,
    node_id: Option<String>,
    path: Option<String>,
    attempt: Option<i32>,
    subject: Option<String>,
    traceparent: Option<String>,
    /// The run's.
    region: Option<String>,
    data: Value,
}

impl Row {
    fn event(self) -> Result<Event, StoreError> {
        let kind = EventType::from_channel(&self.kind)
            .ok_or_else(|| StoreError::corrupt("event type", self.kind))?;
        let path = self.path.map(|path| ItemPath::from_str(&path)).transpose();
        Ok(Event {
            specversion: "1.0".to_owned(),
            id: self.id,
            source: self.source,
            kind,
            time: self.time.into(),
            subject: self.subject,
            traceparent: self.traceparent,
            execution_id: Some(ExecutionId(self.execution_id)),
            workflow_id: self.workflow_id.map(WorkflowId),
            node_id: self.node_id.map(Into::into),
            path: path.map_err(|error| StoreError::corrupt("item path", error))?,
            epoch: Some(self.epoch.unsigned_abs()),
            seq: Some(self.seq.unsigned_abs()),
            attempt: self.attempt.map(i32::unsigned_abs),
            region: self.region,
            data: self.data,
        })
    }
}

impl Events<'_> {
    /// Up to `limit` events of a run after a position, in order. Empty for a run that is not there.
    ///
    /// # Errors
    /// `Corrupt` when a row is not an event, `Unavailable`.
    pub async fn after(
        &self,
        run: ExecutionId,
        position: LogPosition,
        limit: u32,
    ) -> Result<Vec<Event>, StoreError> {
        // The bounds in time spare the partitions of days on which the run cannot have said anything; the margin is for
        // clocks that disagree.
        let rows = sqlx::query_as!(
            Row,
            "select execution_id, epoch, seq, time, type as kind, id, source, workflow_id, node_id, path, attempt, subject,
                traceparent, data, (select region from wf_executions where id = $1) as region
            from wf_events
            where execution_id = $1 and (epoch, seq) > ($2, $3)
                and time >= (select created_at - interval '1 hour' from wf_executions where id = $1)
                and time <= (select coalesce(completed_at + interval '1 hour', 'infinity') from wf_executions where id = $1)
            order by epoch, seq limit $4",
            run.0,
            i32::try_from(position.epoch).unwrap_or(i32::MAX),
            i64::try_from(position.seq).unwrap_or(i64::MAX),
            i64::from(limit)
        )
        .fetch_all(&mut *self.store.connection().await?)
        .await?;
        rows.into_iter().map(Row::event).collect()
    }

    /// The position of a run's last event in `epoch` or later; `seq` 0 where there is none.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn last(&self, run: ExecutionId, epoch: u32) -> Result<LogPosition, StoreError> {
        let row = sqlx::query!(
            "select epoch, seq from wf_events
            where execution_id = $1 and epoch >= $2
                and time >= (select created_at - interval '1 hour' from wf_executions where id = $1)
                and time <= (select coalesce(completed_at + interval '1 hour', 'infinity') from wf_executions where id = $1)
            order by epoch desc, seq desc limit 1",
            run.0,
            i32::try_from(epoch).unwrap_or(i32::MAX)
        )
        .fetch_optional(&mut *self.store.connection().await?)
        .await?;
        let last =
            |epoch: i32, seq: i64| LogPosition { epoch: epoch.unsigned_abs(), seq: seq.unsigned_abs() };
        Ok(row.map_or(LogPosition { epoch, seq: 0 }, |row| last(row.epoch, row.seq)))
    }

    /// The event that ended a run; none when it is not recorded, or not any more.
    ///
    /// # Errors
    /// As [`Events::after`].
    pub async fn end(&self, run: ExecutionId) -> Result<Option<Event>, StoreError> {
        let row = sqlx::query_as!(
            Row,
            "select execution_id, epoch, seq, time, type as kind, id, source, workflow_id, node_id, path, attempt, subject,
                traceparent, data, (select region from wf_executions where id = $1) as region
            from wf_events
            where execution_id = $1 and type in ('workflow:completed', 'workflow:failed', 'workflow:cancelled')
                and time >= (select created_at - interval '1 hour' from wf_executions where id = $1)
                and time <= (select coalesce(completed_at + interval '1 hour', 'infinity') from wf_executions where id = $1)
            order by epoch, seq limit 1",
            run.0
        )
        .fetch_optional(&mut *self.store.connection().await?)
        .await?;
        row.map(Row::event).transpose()
    }

    /// Makes the partitions of `days` days from `first_day` (UTC) on; returns how many were new. Safe to repeat. Gives up
    /// after half a second when readers hold the table, with `Unavailable`.
    ///
    /// # Errors
    /// `Unavailable`, `Fault`.
    pub async fn ensure_partitions(&self, first_day: NaiveDate, days: u32) -> Result<u32, StoreError> {
        let mut transaction = self.store.begin().await?;
        self.yield_to_readers(&mut transaction).await?;
        let made = sqlx::query_scalar!(
            r#"select wf_events_ensure_partitions($1, $2) as "made!""#,
            first_day,
            i32::try_from(days).unwrap_or(i32::MAX)
        )
        .fetch_one(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(made.unsigned_abs())
    }

    /// Drops the partitions of days before `first_kept` (UTC); returns how many. Gives up after half a second when
    /// readers hold them, with `Unavailable`: a drop that waits would hold up the writer.
    ///
    /// # Errors
    /// `Unavailable`, `Fault`.
    pub async fn drop_partitions_before(&self, first_kept: NaiveDate) -> Result<u32, StoreError> {
        let mut transaction = self.store.begin().await?;
        self.yield_to_readers(&mut transaction).await?;
        let dropped =
            sqlx::query_scalar!(r#"select wf_events_drop_partitions($1) as "dropped!""#, first_kept)
                .fetch_one(&mut *transaction)
                .await?;
        transaction.commit().await?;
        Ok(dropped.unsigned_abs())
    }

    /// Changes of the partitions give up before Postgres looks for deadlocks, after a second: it might choose the reader.
    async fn yield_to_readers(&self, transaction: &mut sqlx::PgTransaction<'_>) -> Result<(), StoreError> {
        sqlx::query!("set local lock_timeout = '500ms'").execute(&mut **transaction).await?;
        Ok(())
    }
}
