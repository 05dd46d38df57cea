//! `wf_workers`: the fleet, as it was last heard of. Redis knows who is alive; this is the record.

use millrace_contracts::{Pool, UnixMillis, WorkerId};
use serde_json::Value;

use crate::{Store, StoreError, json};

/// Where a worker stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WorkerStatus {
    /// Takes jobs.
    Active,
    /// Finishes what it has.
    Draining,
    /// Not heard of any more.
    Lost,
    /// Ended in order.
    Stopped,
}

impl WorkerStatus {
    /// The name in the table.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Draining => "draining",
            Self::Lost => "lost",
            Self::Stopped => "stopped",
        }
    }

    fn read(text: &str) -> Result<Self, StoreError> {
        let known = [Self::Active, Self::Draining, Self::Lost, Self::Stopped];
        let found = known.into_iter().find(|status| status.as_str() == text);
        found.ok_or_else(|| StoreError::corrupt("worker status", text))
    }
}

/// A worker's record.
#[derive(Debug, Clone, PartialEq)]
pub struct WorkerRecord {
    /// The worker.
    pub id: WorkerId,
    /// Where it stands.
    pub status: WorkerStatus,
    /// The pools it serves.
    pub pools: Vec<Pool>,
    /// What it says of itself: devices, memory, capacity, models.
    pub info: Value,
    /// Its version of Millrace.
    pub version: Option<String>,
    /// When it started.
    pub started_at: UnixMillis,
    /// When it was last heard of.
    pub last_seen_at: UnixMillis,
}

/// The fleet's record.
#[derive(Debug, Clone, Copy)]
pub struct Workers<'a> {
    store: &'a Store,
}

impl Store {
    /// The fleet's record.
    #[must_use]
    pub fn workers(&self) -> Workers<'_> {
        Workers { store: self }
    }
}

impl Workers<'_> {
    /// Records what was heard of a worker; older news than what is stored changes nothing.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn put(&self, worker: &WorkerRecord) -> Result<(), StoreError> {
        sqlx::query!(
            "insert into wf_workers as stored (id, status, pools, info, version, started_at, last_seen_at)
            values ($1, $2, $3::text::jsonb, $4::text::jsonb, $5, $6, $7)
            on conflict on constraint wf_workers_pkey do update set
                status = excluded.status, pools = excluded.pools, info = excluded.info, version = excluded.version,
                started_at = excluded.started_at, last_seen_at = excluded.last_seen_at
            where excluded.last_seen_at >= stored.last_seen_at",
            worker.id.as_str(),
            worker.status.as_str(),
            json::text(&worker.pools),
            json::text(&worker.info),
            worker.version,
            worker.started_at.to_utc(),
            worker.last_seen_at.to_utc()
        )
        .execute(&self.store.pool)
        .await?;
        Ok(())
    }

    /// The `limit` workers heard of last.
    ///
    /// # Errors
    /// `Corrupt`, `Unavailable`.
    pub async fn list(&self, limit: u32) -> Result<Vec<WorkerRecord>, StoreError> {
        let rows = sqlx::query!(
            "select id, status, pools, info, version, started_at, last_seen_at from wf_workers
            order by last_seen_at desc limit $1",
            i64::from(limit)
        )
        .fetch_all(&self.store.pool)
        .await?;
        rows.into_iter()
            .map(|row| {
                Ok(WorkerRecord {
                    id: row.id.into(),
                    status: WorkerStatus::read(&row.status)?,
                    pools: json::read("worker pools", row.pools)?,
                    info: row.info,
                    version: row.version,
                    started_at: row.started_at.into(),
                    last_seen_at: row.last_seen_at.into(),
                })
            })
            .collect()
    }
}
