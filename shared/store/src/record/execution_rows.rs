//! `wf_executions`: runs brought forward by their events. The row is there already as a rule, made by the api; where it is not
//! (the api's commit is still in flight, or the database was set back) it is made from the command inside the events. Where
//! even that is still to come (another writer has it), a bare row keeps what is known until it does.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use millrace_contracts::{ExecutionId, ExecutionStatus};
use sqlx::PgConnection;
use uuid::Uuid;

use super::change::{EndedJobs, ExecutionChange, JobChange};
use super::fold::Changes;
use crate::blob_uses::Uses;
use crate::{StoreError, accept, json};

/// Brings the rows forward, and the counters of jobs with them. Node runs and jobs of the batch must be written before.
///
/// A run costs what its jobs do, where anything has a price (`priced`).
pub(super) async fn advance(
    connection: &mut PgConnection,
    changes: &Changes<'_>,
    priced: bool,
) -> Result<(), StoreError> {
    let runs: Vec<(&ExecutionId, &ExecutionChange)> = changes.executions.iter().collect();
    let Updated { incomplete, mut advanced } = update(connection, &runs, priced).await?;
    if !incomplete.is_empty() {
        let (commanded, bare): (Vec<_>, Vec<_>) = runs
            .into_iter()
            .filter(|(id, _)| incomplete.contains(&id.0))
            .partition(|(_, change)| change.accepted.is_some());
        insert_pending(connection, &commanded).await?;
        insert_bare(connection, &bare).await?;
        for made in [commanded, bare] {
            advanced.extend(update(connection, &made, priced).await?.advanced);
        }
    }
    close_jobs(connection, changes).await?;
    count_jobs(connection, changes, &incomplete).await?;
    complete_metrics(connection, changes, &advanced, priced).await
}

/// What became of the runs of a batch.
#[derive(Default)]
struct Updated {
    /// They have no row, or none with the command that is at hand.
    incomplete: BTreeSet<Uuid>,
    /// Their row changed.
    advanced: BTreeSet<Uuid>,
}

/// Writes each run's newest state, once.
async fn update(
    connection: &mut PgConnection,
    runs: &[(&ExecutionId, &ExecutionChange)],
    priced: bool,
) -> Result<Updated, StoreError> {
    if runs.is_empty() {
        return Ok(Updated::default());
    }
    let columns = Columns::of(runs);
    let rows = sqlx::query!(
        r#"with change as (
            select * from unnest($1::uuid[], $2::text[], $3::int[], $4::timestamptz[], $5::timestamptz[], $6::bigint[],
                $7::text[], $8::text[], $9::text[], $10::text[], $11::int[], $12::int[], $13::bool[])
                as c (id, status, epoch, started_at, completed_at, duration_ms, error_message, error, output_data,
                    progress, jobs_completed, jobs_failed, has_command)
        ), advanced as (
            update wf_executions stored set
                status = case when change.status = 'pending' then stored.status else change.status end,
                epoch = greatest(stored.epoch, change.epoch),
                started_at = case when change.completed_at is not null
                    then coalesce(change.started_at, stored.started_at)
                    else coalesce(stored.started_at, change.started_at) end,
                completed_at = change.completed_at,
                duration_ms = change.duration_ms,
                error_message = change.error_message,
                error = change.error::jsonb,
                output_data = change.output_data::jsonb,
                progress = change.progress::jsonb,
                updated_at = now(),
                inference_jobs_pending = case when change.completed_at is null then stored.inference_jobs_pending else 0 end,
                inference_jobs_completed = coalesce(change.jobs_completed, stored.inference_jobs_completed),
                inference_jobs_failed = coalesce(change.jobs_failed, stored.inference_jobs_failed),
                node_metrics = measured.nodes,
                cost = case when $14 and change.completed_at is not null then wf_execution_cost(change.id) end
            from change left join lateral wf_measured_nodes(change.id) measured on change.completed_at is not null
            where stored.id = change.id and stored.deleted_at is null
                -- Not a condition that an index on the status could serve: it would lead to every run that is under way.
                and (stored.status in ('pending', 'running')) is true
                and (change.completed_at is not null or change.epoch > stored.epoch
                    or (change.status = 'running' and stored.status = 'pending'))
            returning stored.id
        )
        select change.id as "id!", advanced.id is not null as "advanced!",
            (stored.id is null or (change.has_command and stored.accepted is null and stored.deleted_at is null))
                as "incomplete!"
        from change
        left join wf_executions stored on stored.id = change.id
        left join advanced on advanced.id = change.id"#,
        &columns.ids,
        &columns.statuses as &[&str],
        &columns.epochs,
        &columns.started_ats as &[Option<DateTime<Utc>>],
        &columns.completed_ats as &[Option<DateTime<Utc>>],
        &columns.durations_ms as &[Option<i64>],
        &columns.error_messages as &[Option<String>],
        &columns.errors as &[Option<String>],
        &columns.outputs as &[Option<String>],
        &columns.progress as &[Option<String>],
        &columns.jobs_completed as &[Option<i32>],
        &columns.jobs_failed as &[Option<i32>],
        &columns.has_command,
        priced
    )
    .fetch_all(connection)
    .await?;
    let ids = |keep: fn(bool, bool) -> bool| {
        rows.iter().filter(|row| keep(row.incomplete, row.advanced)).map(|row| row.id).collect()
    };
    Ok(Updated { incomplete: ids(|incomplete, _| incomplete), advanced: ids(|_, advanced| advanced) })
}

/// Makes rows as they were when the runs were accepted, or completes bare ones.
async fn insert_pending(
    connection: &mut PgConnection,
    runs: &[(&ExecutionId, &ExecutionChange)],
) -> Result<(), StoreError> {
    if runs.is_empty() {
        return Ok(());
    }
    let (mut columns, mut uses) = (accept::Columns::default(), Uses::default());
    for accepted in runs.iter().filter_map(|(_, change)| change.accepted.as_ref()) {
        columns.push(accepted);
        uses.add_all(accepted.execution_id.0, accepted.input.values());
    }
    sqlx::query!(
        "insert into wf_executions (id, workflow_id, workflow_version, sha256, priority, pool, created_at, input_data, accepted,
            epoch, schedule_id, callback_url, region)
        select id, workflow_id, workflow_version, sha256, priority, pool, created_at, input_data::jsonb, accepted::jsonb,
            epoch, schedule_id, callback_url, region
        from unnest($1::uuid[], $2::uuid[], $3::int[], $4::bytea[], $5::text[], $6::text[], $7::timestamptz[], $8::text[],
            $9::text[], $10::int[], $11::uuid[], $12::text[], $13::text[])
            as r (id, workflow_id, workflow_version, sha256, priority, pool, created_at, input_data, accepted, epoch,
                schedule_id, callback_url, region)
        on conflict on constraint wf_executions_pkey do update set
            workflow_id = excluded.workflow_id, workflow_version = excluded.workflow_version, sha256 = excluded.sha256,
            priority = excluded.priority, pool = excluded.pool, created_at = excluded.created_at,
            input_data = excluded.input_data, accepted = excluded.accepted, schedule_id = excluded.schedule_id,
            callback_url = excluded.callback_url, region = excluded.region
        where wf_executions.accepted is null and wf_executions.deleted_at is null",
        &columns.ids,
        &columns.workflow_ids as &[Option<Uuid>],
        &columns.versions as &[Option<i32>],
        &columns.digests,
        &columns.priorities as &[&str],
        &columns.pools as &[Option<String>],
        &columns.created_ats,
        &columns.inputs,
        &columns.commands,
        &columns.epochs,
        &columns.schedule_ids as &[Option<Uuid>],
        &columns.callback_urls as &[Option<String>],
        &columns.regions as &[Option<String>]
    )
    .execute(&mut *connection)
    .await?;
    uses.insert(connection).await
}

/// Makes rows that only hold a run's state, not shown to anybody until the command comes.
async fn insert_bare(
    connection: &mut PgConnection,
    runs: &[(&ExecutionId, &ExecutionChange)],
) -> Result<(), StoreError> {
    if runs.is_empty() {
        return Ok(());
    }
    let ids: Vec<Uuid> = runs.iter().map(|(id, _)| id.0).collect();
    sqlx::query!(
        "insert into wf_executions (id, created_at, input_data) select id, now(), '{}' from unnest($1::uuid[]) as r (id)
        on conflict on constraint wf_executions_pkey do nothing",
        &ids
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// A job whose node run or run has ended does not stay open, even if nobody said how it ended or the news came in the wrong
/// order. Should the true end still come, it replaces this one.
async fn close_jobs(connection: &mut PgConnection, changes: &Changes<'_>) -> Result<(), StoreError> {
    let in_doubt = |change: &JobChange| change.spec.is_none() || change.end.is_none();
    let jobs: Vec<Uuid> =
        changes.jobs.iter().filter(|(_, change)| in_doubt(change)).map(|(id, _)| id.0).collect();
    let ended_early: Vec<Uuid> = changes
        .executions
        .iter()
        .filter(|(_, change)| change.end.is_some() && change.status() != ExecutionStatus::Completed)
        .map(|(id, _)| id.0)
        .collect();
    if jobs.is_empty() && ended_early.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        r#"with over as (
            select job.id, coalesce(node.completed_at, run.completed_at) as completed_at
            from wf_inference_jobs job
            left join wf_executions run on run.id = job.execution_id and run.status not in ('pending', 'running')
            left join wf_node_runs node on node.execution_id = job.execution_id and node.node_id = job.node_id
                and node.path = job.path and node.attempt >= job.attempt
                and node.status in ('completed', 'failed', 'cancelled', 'skipped', 'timed_out')
            -- As in `update`: an index on the status would lead to every job that waits.
            where (job.id = any($1) or job.execution_id = any($2)) and (job.status in ('pending', 'queued', 'running')) is true
                and (run.id is not null or node.node_id is not null)
            order by job.id
        )
        update wf_inference_jobs job set status = 'cancelled', completed_at = over.completed_at
        from over where job.id = over.id"#,
        &jobs,
        &ended_early
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Node runs that are recorded after the end of their run: rare, when events come in the wrong order.
async fn complete_metrics(
    connection: &mut PgConnection,
    changes: &Changes<'_>,
    advanced: &BTreeSet<Uuid>,
    priced: bool,
) -> Result<(), StoreError> {
    let touched: BTreeSet<Uuid> =
        changes.node_runs.keys().map(|(run, ..)| run.0).filter(|run| !advanced.contains(run)).collect();
    if touched.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        "update wf_executions set node_metrics = (select nodes from wf_measured_nodes(id)),
            cost = case when $2 then wf_execution_cost(id) else cost end
        where id = any($1) and status not in ('pending', 'running') and deleted_at is null",
        &touched.into_iter().collect::<Vec<_>>(),
        priced
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Counts the jobs of runs that go on. Counted, not added up: the same batch twice gives the same numbers.
async fn count_jobs(
    connection: &mut PgConnection,
    changes: &Changes<'_>,
    new_rows: &BTreeSet<Uuid>,
) -> Result<(), StoreError> {
    let ended = |id: &ExecutionId| changes.executions.get(id).is_some_and(|change| change.end.is_some());
    let going_on: BTreeSet<Uuid> = changes
        .jobs
        .values()
        .map(|change| change.execution_id)
        .filter(|id| !ended(id))
        .map(|id| id.0)
        .chain(new_rows.iter().copied())
        .collect();
    if going_on.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        "with counted as (
            select execution_id, count(*) filter (where status in ('pending', 'queued', 'running')) as pending,
                count(*) filter (where status = 'completed') as completed,
                count(*) filter (where status = 'failed') as failed
            from wf_inference_jobs where execution_id = any($1) group by execution_id
        )
        update wf_executions set inference_jobs_pending = counted.pending, inference_jobs_completed = counted.completed,
            inference_jobs_failed = counted.failed, updated_at = now()
        from counted
        where id = counted.execution_id
            -- As in `update`: not by an index on the status.
            and (status in ('pending', 'running')) is true
            and (inference_jobs_pending, inference_jobs_completed, inference_jobs_failed)
                is distinct from (counted.pending, counted.completed, counted.failed)",
        &going_on.into_iter().collect::<Vec<_>>()
    )
    .execute(connection)
    .await?;
    Ok(())
}

#[derive(Default)]
struct Columns {
    ids: Vec<Uuid>,
    statuses: Vec<&'static str>,
    epochs: Vec<i32>,
    started_ats: Vec<Option<DateTime<Utc>>>,
    completed_ats: Vec<Option<DateTime<Utc>>>,
    durations_ms: Vec<Option<i64>>,
    error_messages: Vec<Option<String>>,
    errors: Vec<Option<String>>,
    outputs: Vec<Option<String>>,
    progress: Vec<Option<String>>,
    jobs_completed: Vec<Option<i32>>,
    jobs_failed: Vec<Option<i32>>,
    has_command: Vec<bool>,
}

impl Columns {
    fn of(runs: &[(&ExecutionId, &ExecutionChange)]) -> Self {
        let mut columns = Self::default();
        for (id, change) in runs {
            columns.push(id, change);
        }
        columns
    }

    fn push(&mut self, id: &ExecutionId, change: &ExecutionChange) {
        let end = change.end.as_ref().map(|(_, end)| end);
        let count =
            |pick: fn(&EndedJobs) -> u32| end.map(|end| i32::try_from(pick(&end.jobs)).unwrap_or(i32::MAX));
        let started_at = end.and_then(|end| end.started_at).or(change.started_at);
        let completed_at = end.and_then(|end| end.completed_at);
        let duration = end.and_then(|end| end.duration_ms);
        let outputs = end.and_then(|end| end.outputs.as_ref()).filter(|outputs| !outputs.is_null());
        self.ids.push(id.0);
        self.statuses.push(change.status().as_str());
        self.epochs.push(i32::try_from(change.epoch).unwrap_or(i32::MAX).max(1));
        self.started_ats.push(started_at.map(|time| time.to_utc()));
        self.completed_ats.push(completed_at.map(|time| time.to_utc()));
        self.durations_ms.push(duration.map(|ms| i64::try_from(ms).unwrap_or(i64::MAX)));
        self.error_messages
            .push(end.and_then(|end| end.error.as_ref()).map(|error| json::plain(&error.message)));
        self.errors.push(end.and_then(|end| end.error.as_ref()).map(json::text));
        self.outputs.push(outputs.map(json::text));
        self.progress.push(end.and_then(|end| end.progress.as_ref()).map(json::text));
        self.jobs_completed.push(count(|jobs| jobs.completed));
        self.jobs_failed.push(count(|jobs| jobs.failed));
        self.has_command.push(change.accepted.is_some());
    }
}
