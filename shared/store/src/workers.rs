//! `wf_workers`: the fleet, as it was last heard of, and `wf_worker_time`: how it spent its time. Redis knows who is alive; this
//! is the record.

mod hear;

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
    /// Of its life until then, milliseconds in which it had something in hand.
    pub busy_ms: u64,
}

impl WorkerRecord {
    /// Its devices other than processors.
    pub(crate) fn gpus(&self) -> usize {
        let devices = self.info["devices"].as_array().map_or(&[][..], Vec::as_slice);
        devices.iter().filter_map(Value::as_str).filter(|device| !device.starts_with("cpu")).count()
    }
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
    /// Records what was heard of workers: where each stands, and the time since it was last heard of as slices of its life.
    /// News that is not newer than what is stored changes nothing, so that any number of observers may tell the same.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn hear(&self, workers: &[WorkerRecord]) -> Result<(), StoreError> {
        if workers.is_empty() {
            return Ok(());
        }
        let columns = hear::Columns::of(workers, &self.store.prices);
        let mut transaction = self.store.begin().await?;
        columns.begin_lives(&mut transaction).await?;
        columns.go_on(&mut transaction).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Notes which workers are gone: `lost` are listed but silent, and those that are neither among them nor `alive` have left.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn close(&self, alive: &[WorkerId], lost: &[WorkerId]) -> Result<(), StoreError> {
        let texts = |ids: &[WorkerId]| ids.iter().map(|id| id.as_str().to_owned()).collect::<Vec<_>>();
        sqlx::query!(
            "update wf_workers set status = case when id = any($2) then 'lost' else 'stopped' end
            where status in ('active', 'draining') and id <> all($1)",
            &texts(alive),
            &texts(lost)
        )
        .execute(&mut *self.store.connection().await?)
        .await?;
        Ok(())
    }

    /// Deletes what is older than `before`: slices of lives, and workers that are gone since; returns how many rows.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn expire(&self, before: UnixMillis) -> Result<u64, StoreError> {
        let slices = sqlx::query!("delete from wf_worker_time where at < $1", before.to_utc())
            .execute(&mut *self.store.connection().await?)
            .await?;
        let gone = sqlx::query!(
            "delete from wf_workers where last_seen_at < $1 and status in ('lost', 'stopped')",
            before.to_utc()
        )
        .execute(&mut *self.store.connection().await?)
        .await?;
        Ok(slices.rows_affected() + gone.rows_affected())
    }

    /// The `limit` workers heard of last.
    ///
    /// # Errors
    /// `Corrupt`, `Unavailable`.
    pub async fn list(&self, limit: u32) -> Result<Vec<WorkerRecord>, StoreError> {
        let rows = sqlx::query!(
            "select id, status, pools, info, version, started_at, last_seen_at, busy_ms from wf_workers
            order by last_seen_at desc limit $1",
            i64::from(limit)
        )
        .fetch_all(&mut *self.store.connection().await?)
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
                    busy_ms: row.busy_ms.unsigned_abs(),
                })
            })
            .collect()
    }
}
