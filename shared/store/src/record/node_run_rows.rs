//! `wf_node_runs`: the newest state of each node run.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::change::{NodeRunChange, NodeRunKey};
use crate::{StoreError, json};

/// Brings the rows forward; the `where` says what [`NodeRunChange::replaces`] says.
pub(super) async fn upsert(
    connection: &mut PgConnection,
    changes: &BTreeMap<NodeRunKey, NodeRunChange>,
) -> Result<(), StoreError> {
    if changes.is_empty() {
        return Ok(());
    }
    let columns = Columns::of(changes);
    sqlx::query!(
        "insert into wf_node_runs as stored (execution_id, node_id, path, block, status, attempt, outputs, error, metrics,
            handled, worker_id, queued_at, started_at, completed_at, duration_ms, epoch, skipped_ports, origin)
        select execution_id, node_id, path, block, status, attempt, outputs::jsonb, error::jsonb, metrics::jsonb, handled,
            worker_id, queued_at, started_at, completed_at, duration_ms, epoch, skipped_ports::jsonb, origin
        from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::int[], $7::text[], $8::text[],
            $9::text[], $10::text[], $11::text[], $12::timestamptz[], $13::timestamptz[], $14::timestamptz[],
            $15::bigint[], $16::int[], $17::text[], $18::uuid[])
            as n (execution_id, node_id, path, block, status, attempt, outputs, error, metrics, handled, worker_id,
                queued_at, started_at, completed_at, duration_ms, epoch, skipped_ports, origin)
        on conflict on constraint wf_node_runs_pkey do update set
            block = excluded.block, status = excluded.status, attempt = excluded.attempt, outputs = excluded.outputs,
            error = excluded.error, metrics = excluded.metrics, handled = excluded.handled,
            worker_id = excluded.worker_id, queued_at = excluded.queued_at, started_at = excluded.started_at,
            completed_at = excluded.completed_at, duration_ms = excluded.duration_ms, epoch = excluded.epoch,
            skipped_ports = excluded.skipped_ports, origin = excluded.origin
        where case
            when stored.status in ('completed', 'failed', 'cancelled', 'skipped', 'timed_out') then
                excluded.status in ('completed', 'failed', 'cancelled', 'skipped', 'timed_out')
                and stored.status <> 'completed' and excluded.epoch > stored.epoch
            else
                excluded.status in ('completed', 'failed', 'cancelled', 'skipped', 'timed_out')
                or (excluded.epoch, excluded.attempt) >= (stored.epoch, stored.attempt)
            end",
        &columns.execution_ids,
        &columns.node_ids,
        &columns.paths,
        &columns.blocks,
        &columns.statuses as &[&str],
        &columns.attempts,
        &columns.outputs as &[Option<String>],
        &columns.errors as &[Option<String>],
        &columns.metrics as &[Option<String>],
        &columns.handled as &[Option<String>],
        &columns.worker_ids as &[Option<String>],
        &columns.queued_ats as &[Option<DateTime<Utc>>],
        &columns.started_ats as &[Option<DateTime<Utc>>],
        &columns.completed_ats as &[Option<DateTime<Utc>>],
        &columns.durations_ms as &[Option<i64>],
        &columns.epochs,
        &columns.skipped_ports as &[Option<String>],
        &columns.origins as &[Option<Uuid>]
    )
    .execute(connection)
    .await?;
    Ok(())
}

#[derive(Default)]
struct Columns {
    execution_ids: Vec<Uuid>,
    node_ids: Vec<String>,
    paths: Vec<String>,
    blocks: Vec<String>,
    statuses: Vec<&'static str>,
    attempts: Vec<i32>,
    outputs: Vec<Option<String>>,
    errors: Vec<Option<String>>,
    metrics: Vec<Option<String>>,
    handled: Vec<Option<String>>,
    worker_ids: Vec<Option<String>>,
    queued_ats: Vec<Option<DateTime<Utc>>>,
    started_ats: Vec<Option<DateTime<Utc>>>,
    completed_ats: Vec<Option<DateTime<Utc>>>,
    durations_ms: Vec<Option<i64>>,
    epochs: Vec<i32>,
    skipped_ports: Vec<Option<String>>,
    origins: Vec<Option<Uuid>>,
}

impl Columns {
    fn of(changes: &BTreeMap<NodeRunKey, NodeRunChange>) -> Self {
        let mut columns = Self::default();
        for ((run, node, path), change) in changes {
            let view = &change.view;
            columns.execution_ids.push(run.0);
            columns.node_ids.push(json::plain(node.as_str()));
            columns.paths.push(path.to_string());
            columns.blocks.push(json::plain(&view.block));
            columns.statuses.push(view.status.as_str());
            columns.attempts.push(i32::try_from(view.attempt).unwrap_or(i32::MAX));
            columns.outputs.push(view.outputs.as_ref().map(json::text));
            columns.errors.push(view.error.as_ref().map(json::text));
            columns.metrics.push(view.metrics.as_ref().map(json::text));
            columns.handled.push(change.handled.as_deref().map(json::plain));
            columns.worker_ids.push(view.worker_id.as_ref().map(|id| json::plain(id.as_str())));
            columns.queued_ats.push(view.queued_at.map(|time| time.to_utc()));
            columns.started_ats.push(view.started_at.map(|time| time.to_utc()));
            columns.completed_ats.push(view.completed_at.map(|time| time.to_utc()));
            columns.durations_ms.push(view.duration_ms().map(|ms| i64::try_from(ms).unwrap_or(i64::MAX)));
            columns.epochs.push(i32::try_from(change.epoch).unwrap_or(i32::MAX));
            let skipped = (!view.skipped_ports.is_empty()).then(|| json::text(&view.skipped_ports));
            columns.skipped_ports.push(skipped);
            columns.origins.push(view.origin.map(|run| run.0));
        }
        columns
    }
}
