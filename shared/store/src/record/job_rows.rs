//! `wf_inference_jobs`: one row per attempt that was handed to a worker.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use millrace_contracts::JobId;
use sqlx::PgConnection;
use uuid::Uuid;

use super::change::{JobChange, JobSpec};
use crate::{Prices, StoreError, json};

/// Brings the rows forward: queued to ended, never back. Jobs of which only the end is known are left to
/// `execution_rows::close_jobs`: there is a row, or the job was never queued.
pub(super) async fn upsert(
    connection: &mut PgConnection,
    changes: &BTreeMap<JobId, JobChange>,
    prices: &Prices,
) -> Result<(), StoreError> {
    let known = changes.iter().filter_map(|(id, change)| Some((id, change, change.spec.as_ref()?)));
    let columns = Columns::of(known, prices);
    if !columns.ids.is_empty() {
        columns.upsert(connection).await?;
    }
    Ok(())
}

#[derive(Default)]
struct Columns {
    ids: Vec<Uuid>,
    execution_ids: Vec<Uuid>,
    node_ids: Vec<String>,
    paths: Vec<String>,
    tasks: Vec<String>,
    model_ids: Vec<Option<String>>,
    model_sources: Vec<Option<String>>,
    pools: Vec<String>,
    priorities: Vec<&'static str>,
    worker_ids: Vec<Option<String>>,
    statuses: Vec<&'static str>,
    submitted_ats: Vec<DateTime<Utc>>,
    started_ats: Vec<Option<DateTime<Utc>>>,
    completed_ats: Vec<Option<DateTime<Utc>>>,
    durations_ms: Vec<Option<i64>>,
    results: Vec<Option<String>>,
    error_messages: Vec<Option<String>>,
    error_kinds: Vec<Option<&'static str>>,
    attempts: Vec<i32>,
    metadata: Vec<String>,
    costs: Vec<Option<f64>>,
}

impl Columns {
    fn of<'a>(
        changes: impl Iterator<Item = (&'a JobId, &'a JobChange, &'a JobSpec)>,
        prices: &Prices,
    ) -> Self {
        let mut columns = Self::default();
        for (id, change, spec) in changes {
            columns.push_spec(*id, change, spec);
            columns.push_end(change);
            let metrics = change.end.as_ref().and_then(|end| end.metrics.as_ref());
            columns.costs.push(metrics.and_then(|metrics| prices.of_job(&spec.pool, metrics)));
        }
        columns
    }

    fn push_spec(&mut self, id: JobId, change: &JobChange, spec: &JobSpec) {
        self.ids.push(id.0);
        self.execution_ids.push(change.execution_id.0);
        self.node_ids.push(json::plain(change.node_id.as_str()));
        self.paths.push(change.path.to_string());
        self.tasks.push(json::plain(&spec.task));
        self.model_ids.push(spec.model_id.as_ref().map(|id| json::plain(id.as_str())));
        self.model_sources.push(spec.model_source.as_deref().map(json::plain));
        self.pools.push(json::plain(spec.pool.as_str()));
        self.priorities.push(spec.priority.unwrap_or_default().as_str());
        self.submitted_ats.push(spec.queued_at.to_utc());
        self.attempts.push(i32::try_from(change.attempt).unwrap_or(i32::MAX));
    }

    fn push_end(&mut self, change: &JobChange) {
        let end = change.end.as_ref();
        let times = end.and_then(|end| Some((end.started_at?, end.completed_at)));
        let error = end.and_then(|end| end.error.as_ref());
        let metrics = end.and_then(|end| end.metrics.as_ref());
        self.statuses.push(change.status().as_str());
        self.worker_ids
            .push(end.and_then(|end| end.worker_id.as_ref()).map(|worker| json::plain(worker.as_str())));
        self.started_ats.push(end.and_then(|end| end.started_at).map(|time| time.to_utc()));
        self.completed_ats.push(end.map(|end| end.completed_at.to_utc()));
        self.durations_ms
            .push(times.map(|(begun, ended)| i64::try_from(ended.since(begun)).unwrap_or(i64::MAX)));
        self.results.push(end.and_then(|end| end.result.as_ref()).map(json::text));
        self.error_messages.push(error.map(|error| json::plain(&error.message)));
        self.error_kinds.push(error.map(|error| error.kind.as_str()));
        self.metadata.push(metrics.map_or_else(|| "{}".to_owned(), json::text));
    }

    async fn upsert(&self, connection: &mut PgConnection) -> Result<(), StoreError> {
        sqlx::query!(
            "insert into wf_inference_jobs as stored (id, execution_id, node_id, path, task, model_id, model_source, pool,
                priority, worker_id, status, submitted_at, started_at, completed_at, duration_ms, result, error_message,
                error_kind, attempt, metadata, cost)
            select id, execution_id, node_id, path, task, model_id, model_source, pool, priority, worker_id, status,
                submitted_at, started_at, completed_at, duration_ms, result::jsonb, error_message, error_kind, attempt,
                metadata::jsonb, cost
            from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
                $9::text[], $10::text[], $11::text[], $12::timestamptz[], $13::timestamptz[], $14::timestamptz[],
                $15::bigint[], $16::text[], $17::text[], $18::text[], $19::int[], $20::text[],
                $21::float8[])
                as j (id, execution_id, node_id, path, task, model_id, model_source, pool, priority, worker_id, status,
                    submitted_at, started_at, completed_at, duration_ms, result, error_message, error_kind, attempt,
                    metadata, cost)
            on conflict on constraint wf_inference_jobs_pkey do update set
                worker_id = excluded.worker_id, status = excluded.status, started_at = excluded.started_at,
                completed_at = excluded.completed_at, duration_ms = excluded.duration_ms, result = excluded.result,
                error_message = excluded.error_message, error_kind = excluded.error_kind, metadata = excluded.metadata,
                cost = excluded.cost, updated_at = now()
            where (stored.status in ('pending', 'queued', 'running')
                    and excluded.status in ('completed', 'failed', 'cancelled'))
                or (stored.status = 'cancelled' and excluded.status in ('completed', 'failed'))",
            &self.ids,
            &self.execution_ids,
            &self.node_ids,
            &self.paths,
            &self.tasks,
            &self.model_ids as &[Option<String>],
            &self.model_sources as &[Option<String>],
            &self.pools,
            &self.priorities as &[&str],
            &self.worker_ids as &[Option<String>],
            &self.statuses as &[&str],
            &self.submitted_ats,
            &self.started_ats as &[Option<DateTime<Utc>>],
            &self.completed_ats as &[Option<DateTime<Utc>>],
            &self.durations_ms as &[Option<i64>],
            &self.results as &[Option<String>],
            &self.error_messages as &[Option<String>],
            &self.error_kinds as &[Option<&str>],
            &self.attempts,
            &self.metadata,
            &self.costs as &[Option<f64>]
        )
        .execute(connection)
        .await?;
        Ok(())
    }
}
