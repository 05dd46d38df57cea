//! `wf_events`: reading a run's log back, and the partitions it is kept in.

use std::str::FromStr;

use chrono::NaiveDate;
use millrace_contracts::event::LogPosition;
use millrace_contracts::{Event, EventType, ExecutionId, ItemPath, WorkflowId};

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
        let rows = sqlx::query!(
            "select execution_id, epoch, seq, time, type as kind, id, source, workflow_id, node_id, path, attempt, subject,
                traceparent, data
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
        .fetch_all(&self.store.pool)
        .await?;
        rows.into_iter()
            .map(|row| {
                let kind = EventType::from_channel(&row.kind)
                    .ok_or_else(|| StoreError::corrupt("event type", row.kind))?;
                let path = row.path.map(|path| ItemPath::from_str(&path)).transpose();
                Ok(Event {
                    specversion: "1.0".to_owned(),
                    id: row.id,
                    source: row.source,
                    kind,
                    time: row.time.into(),
                    subject: row.subject,
                    traceparent: row.traceparent,
                    execution_id: Some(ExecutionId(row.execution_id)),
                    workflow_id: row.workflow_id.map(WorkflowId),
                    node_id: row.node_id.map(Into::into),
                    path: path.map_err(|error| StoreError::corrupt("item path", error))?,
                    epoch: Some(row.epoch.unsigned_abs()),
                    seq: Some(row.seq.unsigned_abs()),
                    attempt: row.attempt.map(i32::unsigned_abs),
                    data: row.data,
                })
            })
            .collect()
    }

    /// Makes the partitions of `days` days from `first_day` (UTC) on; returns how many were new. Safe to repeat. Gives up
    /// after half a second when readers hold the table, with `Unavailable`.
    ///
    /// # Errors
    /// `Unavailable`, `Fault`.
    pub async fn ensure_partitions(&self, first_day: NaiveDate, days: u32) -> Result<u32, StoreError> {
        let mut transaction = self.store.pool.begin().await?;
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
        let mut transaction = self.store.pool.begin().await?;
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
