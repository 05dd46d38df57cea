//! What was heard of several workers, as rows: their state, and the slices of five minutes that their lives fall into.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use super::WorkerRecord;
use crate::{Prices, StoreError, json};

/// One array per column.
#[derive(Default)]
pub(super) struct Columns {
    ids: Vec<String>,
    statuses: Vec<&'static str>,
    pools: Vec<String>,
    pool_names: Vec<String>,
    infos: Vec<String>,
    versions: Vec<Option<String>>,
    started_ats: Vec<DateTime<Utc>>,
    last_seen_ats: Vec<DateTime<Utc>>,
    busy_ms: Vec<i64>,
    gpus: Vec<i32>,
    prices: Vec<Option<f64>>,
}

impl Columns {
    pub(super) fn of(workers: &[WorkerRecord], prices: &Prices) -> Self {
        let mut columns = Self::default();
        for worker in workers {
            let mut names: Vec<&str> = worker.pools.iter().map(|pool| pool.as_str()).collect();
            names.sort_unstable();
            columns.ids.push(json::plain(worker.id.as_str()));
            columns.statuses.push(worker.status.as_str());
            columns.pools.push(json::text(&worker.pools));
            columns.pool_names.push(json::plain(&names.join(",")));
            columns.infos.push(json::text(&worker.info));
            columns.versions.push(worker.version.as_deref().map(json::plain));
            columns.started_ats.push(worker.started_at.to_utc());
            columns.last_seen_ats.push(worker.last_seen_at.to_utc());
            columns.busy_ms.push(i64::try_from(worker.busy_ms).unwrap_or(i64::MAX));
            columns.gpus.push(i32::try_from(worker.gpus()).unwrap_or(i32::MAX));
            columns.prices.push(prices.of_worker(&worker.pools));
        }
        columns
    }

    /// A row for each worker that has none, as it was when it started.
    pub(super) async fn begin_lives(&self, connection: &mut PgConnection) -> Result<(), StoreError> {
        sqlx::query!(
            "insert into wf_workers (id, status, pools, info, started_at, last_seen_at)
            select id, 'active', '[]', '{}', started_at, started_at
            from unnest($1::text[], $2::timestamptz[]) as heard (id, started_at)
            order by id
            on conflict on constraint wf_workers_pkey do nothing",
            &self.ids,
            &self.started_ats
        )
        .execute(connection)
        .await?;
        Ok(())
    }

    /// Brings the rows forward, and adds the time in between to the slices it falls into; what the worker was busy is spread
    /// over them evenly. A silence of more than a week is not a life that anybody can vouch for.
    pub(super) async fn go_on(&self, connection: &mut PgConnection) -> Result<(), StoreError> {
        sqlx::query!(
            "with heard as (
                select * from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[],
                    $7::timestamptz[], $8::timestamptz[], $9::bigint[], $10::int[], $11::float8[])
                    as h (id, status, pools, pool_names, info, version, started_at, last_seen_at, busy_ms, gpus, price)
            ), before as (
                select heard.*,
                    greatest(stored.last_seen_at, heard.started_at, heard.last_seen_at - interval '7 days') as since,
                    case when heard.started_at > stored.started_at then heard.busy_ms
                        else greatest(heard.busy_ms - stored.busy_ms, 0) end as newly_busy_ms
                from wf_workers stored join heard on heard.id = stored.id
                where heard.last_seen_at > stored.last_seen_at
                order by stored.id
                for update of stored
            ), moved as (
                update wf_workers stored set status = before.status, pools = before.pools::jsonb,
                    info = before.info::jsonb, version = before.version, started_at = before.started_at,
                    last_seen_at = before.last_seen_at, busy_ms = before.busy_ms
                from before where stored.id = before.id
            ), slices as (
                select before.*, slice.at, extract(epoch from least(last_seen_at, slice.at + interval '5 minutes')
                        - greatest(since, slice.at)) / extract(epoch from last_seen_at - since) as part
                from before
                cross join lateral generate_series(
                    date_bin('5 minutes', since, timestamptz '1970-01-01 00:00:00+00'), last_seen_at, '5 minutes')
                    as slice (at)
                where last_seen_at > since
            ), lived as (
                select id, at, pool_names, gpus, price, round(part * 1000 * extract(epoch from last_seen_at - since)) as up_ms,
                    round(part * least(newly_busy_ms, 1000 * extract(epoch from last_seen_at - since))) as busy_ms
                from slices
            )
            insert into wf_worker_time as stored (worker_id, at, pools, gpus, up_ms, busy_ms, cost)
            select id, at, pool_names, gpus, up_ms, busy_ms, price * up_ms::float8 / 3600000
            from lived where up_ms > 0
            order by id, at
            on conflict on constraint wf_worker_time_pkey do update set
                pools = excluded.pools, gpus = excluded.gpus,
                up_ms = stored.up_ms + excluded.up_ms, busy_ms = stored.busy_ms + excluded.busy_ms,
                cost = case when stored.cost is null and excluded.cost is null then null
                    else coalesce(stored.cost, 0) + coalesce(excluded.cost, 0) end",
            &self.ids,
            &self.statuses as &[&str],
            &self.pools,
            &self.pool_names,
            &self.infos,
            &self.versions as &[Option<String>],
            &self.started_ats,
            &self.last_seen_ats,
            &self.busy_ms,
            &self.gpus,
            &self.prices as &[Option<f64>]
        )
        .execute(connection)
        .await?;
        Ok(())
    }
}
