//! What this very Postgres can do right now: the physical limit that benchmarks stand beside their figures, and the
//! server's own counts. Changes no table.

use std::time::{Duration, Instant};

use sqlx::Row;

use crate::{Store, StoreError};

/// The server behind the record, and what it has done so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ServerCounters {
    /// Its version.
    pub version: String,
    /// The process of one of its connections, on the machine it runs on; the server is that one's parent.
    pub backend_process_id: u32,
    /// Transactions committed in this database. The server gathers this about once a second.
    pub commits: u64,
    /// Bytes written ahead, all databases together.
    pub wal_bytes: u64,
}

impl Store {
    /// The server's own counts.
    ///
    /// # Errors
    /// `Unavailable` without a server.
    pub async fn server_counters(&self) -> Result<ServerCounters, StoreError> {
        let sql = "select current_setting('server_version') as version, pg_backend_pid() as process,
                coalesce((select xact_commit from pg_stat_database where datname = current_database()), 0) as commits,
                pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::bigint as wal";
        let row = sqlx::query(sql).fetch_one(&mut *self.connection().await?).await?;
        let count =
            |name| Ok::<_, sqlx::Error>(u64::try_from(row.try_get::<i64, _>(name)?).unwrap_or_default());
        Ok(ServerCounters {
            version: row.try_get("version")?,
            backend_process_id: u32::try_from(row.try_get::<i32, _>("process")?).unwrap_or_default(),
            commits: count("commits")?,
            wal_bytes: count("wal")?,
        })
    }

    /// `rounds` times, one after the other, the smallest transaction whose commit has to be on the disk: a message in the
    /// write-ahead log. What follows nothing but the log takes at least this long.
    ///
    /// # Errors
    /// `Unavailable` without a server.
    pub async fn measure_commit(&self, rounds: usize) -> Result<Vec<Duration>, StoreError> {
        let mut connection = self.connection().await?;
        let mut found = Vec::with_capacity(rounds);
        for _ in 0..rounds {
            let begun = Instant::now();
            sqlx::query("select pg_logical_emit_message(true, 'millrace', 'x')::text")
                .execute(&mut *connection)
                .await?;
            found.push(begun.elapsed());
        }
        Ok(found)
    }
}
