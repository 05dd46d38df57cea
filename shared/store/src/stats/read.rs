//! The statements behind [`Stats`](super::Stats), one per part.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use super::{ErrorCount, FleetTime, Kpi, ModelUse, StatsWindow, WorkflowCost};
use crate::StoreError;

/// Lines of a table that nobody reads to its end.
const MOST_ROWS: i64 = 100;

/// A window as Postgres is given it.
pub(super) struct Reader {
    since: DateTime<Utc>,
    until: DateTime<Utc>,
    bucket_ms: i64,
}

/// The window or its buckets, from `wf_kpi`: seconds of a bucket, and where they begin to count.
macro_rules! kpi {
    ($reader:expr, $seconds:expr, $origin:expr) => {
        sqlx::query_as!(
            Kpi,
            r#"select (extract(epoch from at) * 1000)::bigint as "at!", workflows_created as "workflows_created!",
                runs as "runs!", completed as "completed!", failed as "failed!", timed_out as "timed_out!",
                cancelled as "cancelled!", unfinished as "unfinished!", success_rate, p50_ms, p95_ms, p99_ms,
                jobs as "jobs!", jobs_failed as "jobs_failed!", jobs_cached as "jobs_cached!", queue_wait_p50_ms,
                queue_wait_p95_ms, cost::float8 as cost
            from wf_kpi(make_interval(secs => $1), $2, $3, $4)"#,
            $seconds,
            $origin,
            $reader.since,
            $reader.until
        )
    };
}

impl Reader {
    pub(super) fn of(window: StatsWindow) -> Self {
        let bucket_ms = i64::try_from(window.bucket.as_millis()).unwrap_or(i64::MAX).max(1);
        Self { since: window.since.to_utc(), until: window.until.to_utc(), bucket_ms }
    }

    /// One bucket that begins with the window and is as long.
    fn whole_seconds(&self) -> f64 {
        ((self.until - self.since).num_milliseconds().max(1)) as f64 / 1000.0
    }

    pub(super) async fn totals(&self, connection: &mut PgConnection) -> Result<Kpi, StoreError> {
        let row = kpi!(self, self.whole_seconds(), self.since).fetch_optional(connection).await?;
        Ok(row.unwrap_or_else(|| Kpi { at: self.since.timestamp_millis(), ..Kpi::default() }))
    }

    /// Every bucket of the window, those in which nothing happened included.
    pub(super) async fn series(&self, connection: &mut PgConnection) -> Result<Vec<Kpi>, StoreError> {
        let rows = kpi!(self, self.bucket_ms as f64 / 1000.0, DateTime::UNIX_EPOCH).fetch_all(connection);
        let mut found: HashMap<i64, Kpi> = rows.await?.into_iter().map(|row| (row.at, row)).collect();
        let first = self.since.timestamp_millis().div_euclid(self.bucket_ms) * self.bucket_ms;
        let buckets = (first..self.until.timestamp_millis())
            .step_by(usize::try_from(self.bucket_ms).unwrap_or(usize::MAX));
        Ok(buckets.map(|at| found.remove(&at).unwrap_or_else(|| Kpi { at, ..Kpi::default() })).collect())
    }

    pub(super) async fn errors(&self, connection: &mut PgConnection) -> Result<Vec<ErrorCount>, StoreError> {
        let rows = sqlx::query_as!(
            ErrorCount,
            r#"select kind as "kind!", runs as "runs!", jobs as "jobs!"
            from wf_errors(make_interval(secs => $1), $2, $2, $3)
            order by runs + jobs desc, kind limit $4"#,
            self.whole_seconds(),
            self.since,
            self.until,
            MOST_ROWS
        );
        Ok(rows.fetch_all(connection).await?)
    }

    pub(super) async fn models(&self, connection: &mut PgConnection) -> Result<Vec<ModelUse>, StoreError> {
        let rows = sqlx::query_as!(
            ModelUse,
            r#"select model_id as "model_id!", task as "task!", jobs as "jobs!", completed as "completed!",
                failed as "failed!", cancelled as "cancelled!", cached as "cached!", cache_hit_rate,
                cold_starts as "cold_starts!", load_ms as "load_ms!", p50_ms, p95_ms, p99_ms, queue_wait_p50_ms,
                queue_wait_p95_ms, mean_batch_size, inference_ms as "inference_ms!", gpu_ms as "gpu_ms!",
                share_ms as "share_ms!", cost::float8 as cost
            from wf_models_used(make_interval(secs => $1), $2, $2, $3)
            order by jobs desc, model_id, task limit $4"#,
            self.whole_seconds(),
            self.since,
            self.until,
            MOST_ROWS
        );
        Ok(rows.fetch_all(connection).await?)
    }

    pub(super) async fn workflows(
        &self,
        connection: &mut PgConnection,
    ) -> Result<Vec<WorkflowCost>, StoreError> {
        let rows = sqlx::query_as!(
            WorkflowCost,
            r#"select workflow_id, workflow, runs as "runs!", inferences as "inferences!", run_ms::float8 as "run_ms!",
                cost::float8 as cost, cost_per_run::float8 as cost_per_run,
                cost_per_1000_inferences::float8 as cost_per_1000_inferences
            from wf_costs(make_interval(secs => $1), $2, $2, $3)
            order by cost desc nulls last, runs desc, workflow_id limit $4"#,
            self.whole_seconds(),
            self.since,
            self.until,
            MOST_ROWS
        );
        Ok(rows.fetch_all(connection).await?)
    }

    /// The fleet's slices are five minutes long: those that the window touches count whole.
    pub(super) async fn fleet(&self, connection: &mut PgConnection) -> Result<Vec<FleetTime>, StoreError> {
        let rows = sqlx::query_as!(
            FleetTime,
            r#"select pools as "pools!", workers as "workers!", up_ms as "up_ms!", busy_ms as "busy_ms!",
                idle_ms as "idle_ms!", utilisation, gpu_hours as "gpu_hours!", cost::float8 as cost,
                idle_cost::float8 as idle_cost
            from wf_fleet('365000 days', date_bin('5 minutes', $1, timestamptz '1970-01-01 00:00:00+00'),
                date_bin('5 minutes', $1, timestamptz '1970-01-01 00:00:00+00'), $2)
            order by up_ms desc, pools limit $3"#,
            self.since,
            self.until,
            MOST_ROWS
        );
        Ok(rows.fetch_all(connection).await?)
    }
}
