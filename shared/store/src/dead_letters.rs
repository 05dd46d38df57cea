//! `wf_dead_letters`: events that could not be recorded, each with the reason.

use millrace_contracts::{Event, ExecutionId, UnixMillis};
use serde::Serialize;
use sqlx::PgConnection;

use crate::{Store, StoreError, json};

/// An event that could not be recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
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
            .execute(&self.store.pool)
            .await?;
        Ok(deleted.rows_affected())
    }

    /// The newest `limit` of them.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn list(&self, limit: u32) -> Result<Vec<DeadLetter>, StoreError> {
        let rows = sqlx::query!(
            "select event_id, execution_id, type as kind, event, reason, created_at from wf_dead_letters
            order by created_at desc limit $1",
            i64::from(limit)
        )
        .fetch_all(&self.store.pool)
        .await?;
        Ok(rows
            .into_iter()
            .map(|row| DeadLetter {
                event_id: row.event_id,
                execution_id: row.execution_id.map(ExecutionId),
                kind: row.kind,
                event: row.event,
                reason: row.reason,
                created_at: row.created_at.into(),
            })
            .collect())
    }
}

/// Keeps `event` with the reason; once, however often it is delivered.
pub(crate) async fn insert(
    connection: &mut PgConnection,
    event: &Event,
    reason: &str,
) -> Result<(), StoreError> {
    sqlx::query!(
        "insert into wf_dead_letters (event_id, execution_id, epoch, seq, type, event, reason)
        values ($1, $2, $3, $4, $5, $6, $7)
        on conflict on constraint wf_dead_letters_pkey do nothing",
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
