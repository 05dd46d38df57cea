//! `wf_dead_letters`: events that could not be recorded, each with the reason.

use chrono::{DateTime, Utc};
use millrace_contracts::{Event, ExecutionId, UnixMillis};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{Store, StoreError, json};

/// An event that could not be recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// The event's id.
    pub event_id: String,
    /// Its run, if it named one.
    pub execution_id: Option<ExecutionId>,
    /// Its type's channel.
    pub kind: String,
    /// The envelope as JSON text.
    pub event: String,
    /// Why it is here.
    pub reason: String,
    /// Since when.
    pub created_at: UnixMillis,
}

/// The dead letters.
#[derive(Debug, Clone, Copy)]
pub struct DeadLetters<'a> {
    store: &'a Store,
}

impl Store {
    /// The dead letters.
    #[must_use]
    pub fn dead_letters(&self) -> DeadLetters<'_> {
        DeadLetters { store: self }
    }
}

impl DeadLetters<'_> {
    /// Deletes letters older than `before`; returns how many.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn expire(&self, before: UnixMillis) -> Result<u64, StoreError> {
        let deleted = sqlx::query!("delete from wf_dead_letters where created_at < $1", before.to_utc())
            .execute(&mut *self.store.connection().await?)
            .await?;
        Ok(deleted.rows_affected())
    }

    /// The letter of an event.
    ///
    /// # Errors
    /// `NotFound`, `Unavailable`.
    pub async fn get(&self, event_id: &str) -> Result<DeadLetter, StoreError> {
        sqlx::query_as!(
            Row,
            "select event_id, execution_id, type as kind, event, reason, created_at from wf_dead_letters where event_id = $1",
            event_id
        )
        .fetch_optional(&mut *self.store.connection().await?)
        .await?
        .map(Into::into)
        .ok_or(StoreError::NotFound("dead letter"))
    }

    /// Deletes a letter whose event was given to the writer again, unless it has been refused since.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn forget(&self, letter: &DeadLetter) -> Result<(), StoreError> {
        // The column is more exact than a letter's time, which is in whole milliseconds.
        sqlx::query!(
            "delete from wf_dead_letters where event_id = $1 and created_at < $2::timestamptz + interval '1 millisecond'",
            letter.event_id,
            letter.created_at.to_utc()
        )
        .execute(&mut *self.store.connection().await?)
        .await?;
        Ok(())
    }

    /// The newest `limit` of them.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn list(&self, limit: u32) -> Result<Vec<DeadLetter>, StoreError> {
        let rows = sqlx::query_as!(
            Row,
            "select event_id, execution_id, type as kind, event, reason, created_at from wf_dead_letters
            order by created_at desc limit $1",
            i64::from(limit)
        )
        .fetch_all(&mut *self.store.connection().await?)
        .await?;
        Ok(rows.into_iter().map(Into::into).collect())
    }
}

struct Row {
    event_id: String,
    execution_id: Option<Uuid>,
    kind: String,
    event: String,
    reason: String,
    created_at: DateTime<Utc>,
}

impl From<Row> for DeadLetter {
    fn from(row: Row) -> Self {
        Self {
            event_id: row.event_id,
            execution_id: row.execution_id.map(ExecutionId),
            kind: row.kind,
            event: row.event,
            reason: row.reason,
            created_at: row.created_at.into(),
        }
    }
}

/// Keeps `event` with the reason; once, however often it is delivered, and then with the latest reason.
pub(crate) async fn insert(
    connection: &mut PgConnection,
    event: &Event,
    reason: &str,
) -> Result<(), StoreError> {
    sqlx::query!(
        "insert into wf_dead_letters (event_id, execution_id, epoch, seq, type, event, reason)
        values ($1, $2, $3, $4, $5, $6, $7)
        on conflict on constraint wf_dead_letters_pkey do update
            set event = excluded.event, reason = excluded.reason, created_at = excluded.created_at",
        json::plain(&event.id),
        event.execution_id.map(|id| id.0),
        event.epoch.map(|epoch| i32::try_from(epoch).unwrap_or(i32::MAX)),
        event.seq.map(|seq| i64::try_from(seq).unwrap_or(i64::MAX)),
        event.kind.channel(),
        json::text(event),
        json::plain(reason)
    )
    .execute(connection)
    .await?;
    Ok(())
}
