-- What operators and dashboards ask: rates, times, costs, and how the fleet spends its hours. The functions hold the sums, once;
-- the views show them by the hour, and `GET /stats` over a window of its own choice.

-- What a job's share of its worker's time cost; null while its pool has no price.
alter table wf_inference_jobs add column cost numeric(18, 9);

create function wf_execution_cost(run uuid) returns numeric
language sql stable as $$
    select coalesce(sum(cost), 0) from wf_inference_jobs where execution_id = run
$$;

-- Milliseconds since its start in which the worker had something in hand.
alter table wf_workers add column busy_ms bigint not null default 0;
alter table wf_workers add constraint wf_workers_busy_not_negative check (busy_ms >= 0);

-- The lives of the workers in slices of five minutes: what costs, whether anything ran or not.
create table wf_worker_time (
    worker_id text not null,
    at timestamptz not null,
    -- Its pools, sorted and joined by commas: what a fleet is told apart by.
    pools text not null,
    gpus integer not null default 0,
    up_ms bigint not null,
    busy_ms bigint not null,
    -- At the price of the day; null without one.
    cost numeric(18, 9),
    constraint wf_worker_time_pkey primary key (worker_id, at),
    constraint wf_worker_time_up_not_negative check (up_ms >= 0),
    constraint wf_worker_time_busy_not_negative check (busy_ms >= 0)
);

create index wf_worker_time_at_idx on wf_worker_time (at);

create trigger wf_schedules_touch before update on wf_schedules
    for each row when (new.updated_at is not distinct from old.updated_at) execute function wf_touch_updated_at();

-- Both the time and the hour it falls in: a report names one or the other. A few pages each, however large the table.
drop index wf_executions_created_at_idx;
create index wf_executions_created_at_idx on wf_executions
    using brin (created_at, date_bin('1 hour', created_at, timestamptz '1970-01-01 00:00:00+00'))
    with (autosummarize = on, pages_per_range = 32);
create index wf_inference_jobs_submitted_at_idx on wf_inference_jobs
    using brin (submitted_at, date_bin('1 hour', submitted_at, timestamptz '1970-01-01 00:00:00+00'))
    with (autosummarize = on, pages_per_range = 32);

-- Runs and jobs by buckets of time, counted where they began. `success_rate` is of those that ended by themselves: a cancelled
-- run is nobody's failure. Times are of what has ended.
create function wf_kpi(bucket interval, origin timestamptz, since timestamptz, until timestamptz)
returns table (
    at timestamptz,
    workflows_created bigint,
    runs bigint,
    completed bigint,
    failed bigint,
    timed_out bigint,
    cancelled bigint,
    unfinished bigint,
    success_rate float8,
    p50_ms float8,
    p95_ms float8,
    p99_ms float8,
    jobs bigint,
    jobs_failed bigint,
    jobs_cached bigint,
    queue_wait_p50_ms float8,
    queue_wait_p95_ms float8,
    cost numeric
)
language sql stable
begin atomic
    select at, workflows_created, runs, completed, failed, timed_out, cancelled, unfinished,
        completed::float8 / nullif(completed + failed + timed_out, 0),
        run_ms[1], run_ms[2], run_ms[3], jobs, jobs_failed, jobs_cached, wait_ms[1], wait_ms[2], cost
    from (
        select at,
            count(*) filter (where what = 'workflow') as workflows_created,
            count(*) filter (where what = 'run') as runs,
            count(*) filter (where what = 'run' and status = 'completed') as completed,
            count(*) filter (where what = 'run' and status = 'failed') as failed,
            count(*) filter (where what = 'run' and status = 'timed_out') as timed_out,
            count(*) filter (where what = 'run' and status = 'cancelled') as cancelled,
            count(*) filter (where what = 'run' and status in ('pending', 'running')) as unfinished,
            percentile_cont(array[0.5, 0.95, 0.99]) within group (order by duration_ms) as run_ms,
            count(*) filter (where what = 'job') as jobs,
            count(*) filter (where what = 'job' and status = 'failed') as jobs_failed,
            count(*) filter (where what = 'job' and cached) as jobs_cached,
            percentile_cont(array[0.5, 0.95]) within group (order by wait_ms) as wait_ms,
            sum(cost) as cost
        from (
            select 'run' as what, date_bin(bucket, created_at, origin) as at, status, duration_ms, cost,
                false as cached, null::float8 as wait_ms
            from wf_executions
            where created_at >= since and created_at < until and (accepted is not null or deleted_at is not null)
            union all
            select 'job', date_bin(bucket, submitted_at, origin), status, null, null,
                (metadata ->> 'cached')::boolean, (metadata ->> 'queue_wait_ms')::float8
            from wf_inference_jobs
            where submitted_at >= since and submitted_at < until
            union all
            select 'workflow', date_bin(bucket, created_at, origin), null, null, null, false, null
            from wf_workflows
            where created_at >= since and created_at < until
        ) happened
        group by at
    ) counted;
end;

-- What went wrong, by kind: of runs, and of single attempts, which a retry may have made good.
create function wf_errors(bucket interval, origin timestamptz, since timestamptz, until timestamptz)
returns table (at timestamptz, kind text, runs bigint, jobs bigint)
language sql stable
begin atomic
    select at, kind, count(*) filter (where what = 'run'), count(*) filter (where what = 'job')
    from (
        select 'run' as what, date_bin(bucket, created_at, origin) as at, coalesce(error ->> 'kind', 'UNKNOWN') as kind
        from wf_executions
        where created_at >= since and created_at < until and status in ('failed', 'timed_out')
        union all
        select 'job', date_bin(bucket, submitted_at, origin), error_kind
        from wf_inference_jobs
        where submitted_at >= since and submitted_at < until and status = 'failed' and error_kind is not null
    ) wrong
    group by at, kind;
end;

-- Jobs by model and task. `inference_ms` and `gpu_ms` are each job's part of the batches it ran in, `share_ms` its part of the
-- worker's time: they add up to time that passed. A cold start is a job that waited for its model to load.
create function wf_models_used(bucket interval, origin timestamptz, since timestamptz, until timestamptz)
returns table (
    at timestamptz,
    model_id text,
    task text,
    jobs bigint,
    completed bigint,
    failed bigint,
    cancelled bigint,
    cached bigint,
    cache_hit_rate float8,
    cold_starts bigint,
    load_ms float8,
    p50_ms float8,
    p95_ms float8,
    p99_ms float8,
    queue_wait_p50_ms float8,
    queue_wait_p95_ms float8,
    mean_batch_size float8,
    inference_ms float8,
    gpu_ms float8,
    share_ms float8,
    cost numeric
)
language sql stable
begin atomic
    select at, model_id, task, jobs, completed, failed, cancelled, cached,
        cached::float8 / nullif(completed, 0), cold_starts, load_ms,
        job_ms[1], job_ms[2], job_ms[3], wait_ms[1], wait_ms[2],
        mean_batch_size, inference_ms, gpu_ms, share_ms, cost
    from (
        select at, model_id, task,
            count(*) as jobs,
            count(*) filter (where status = 'completed') as completed,
            count(*) filter (where status = 'failed') as failed,
            count(*) filter (where status = 'cancelled') as cancelled,
            count(*) filter (where cached) as cached,
            count(*) filter (where waited_ms > 0) as cold_starts,
            coalesce(sum(waited_ms), 0) as load_ms,
            percentile_cont(array[0.5, 0.95, 0.99]) within group (order by duration_ms) filter (where not cached) as job_ms,
            percentile_cont(array[0.5, 0.95]) within group (order by queue_wait_ms) filter (where not cached) as wait_ms,
            avg(nullif(batch_size, 0)) as mean_batch_size,
            coalesce(sum(part_ms), 0) as inference_ms,
            coalesce(sum(part_ms) filter (where gpu_model is not null), 0) as gpu_ms,
            coalesce(sum(share_ms), 0) as share_ms,
            sum(cost) as cost
        from (
            select date_bin(bucket, submitted_at, origin) as at, model_id, task, status, duration_ms, cost,
                coalesce((metadata ->> 'cached')::boolean, false) as cached,
                (metadata ->> 'queue_wait_ms')::float8 as queue_wait_ms,
                (metadata ->> 'model_load_time_ms')::float8 as waited_ms,
                (metadata ->> 'batch_size')::float8 as batch_size,
                (metadata ->> 'inference_time_ms')::float8
                    / greatest((metadata ->> 'batch_size')::float8, 1) as part_ms,
                (metadata ->> 'worker_share_ms')::float8 as share_ms,
                metadata ->> 'gpu_model' as gpu_model
            from wf_inference_jobs
            where submitted_at >= since and submitted_at < until and model_id is not null
        ) job
        group by at, model_id, task
    ) counted;
end;

-- What runs cost, by workflow; runs of unsaved definitions stand together under null.
create function wf_costs(bucket interval, origin timestamptz, since timestamptz, until timestamptz)
returns table (
    at timestamptz,
    workflow_id uuid,
    workflow text,
    runs bigint,
    inferences bigint,
    run_ms numeric,
    cost numeric,
    cost_per_run numeric,
    cost_per_1000_inferences numeric
)
language sql stable
begin atomic
    select at, workflow_id, (select name from wf_workflows where id = workflow_id), runs, inferences, run_ms, cost,
        cost / nullif(runs, 0), 1000 * cost / nullif(inferences, 0)
    from (
        select date_bin(bucket, created_at, origin) as at, workflow_id,
            count(*) as runs,
            coalesce(sum(inference_jobs_completed), 0)::bigint as inferences,
            coalesce(sum(duration_ms), 0) as run_ms,
            sum(cost) as cost
        from wf_executions
        where created_at >= since and created_at < until and (accepted is not null or deleted_at is not null)
        group by 1, 2
    ) counted;
end;

-- How the fleet spent its time, by the pools its workers serve. `cost` is for all of it, `idle_cost` for what nothing ran in.
create function wf_fleet(bucket interval, origin timestamptz, since timestamptz, until timestamptz)
returns table (
    at timestamptz,
    pools text,
    workers bigint,
    up_ms bigint,
    busy_ms bigint,
    idle_ms bigint,
    utilisation float8,
    gpu_hours float8,
    cost numeric,
    idle_cost numeric
)
language sql stable
begin atomic
    select date_bin(bucket, at, origin), pools,
        count(distinct worker_id),
        sum(up_ms)::bigint,
        sum(busy_ms)::bigint,
        sum(up_ms - busy_ms)::bigint,
        sum(busy_ms)::float8 / nullif(sum(up_ms), 0),
        sum(up_ms * gpus)::float8 / 3600000,
        sum(cost),
        sum(cost * (up_ms - busy_ms) / nullif(up_ms, 0))
    from wf_worker_time
    where at >= since and at < until
    group by 1, 2;
end;

-- The same by the hour, for people with a SQL prompt. A condition on `hour` reads only those hours.
create view wf_kpi_hourly as
    select at as hour, workflows_created, runs, completed, failed, timed_out, cancelled, unfinished, success_rate,
        p50_ms, p95_ms, p99_ms, jobs, jobs_failed, jobs_cached, queue_wait_p50_ms, queue_wait_p95_ms, cost
    from wf_kpi('1 hour', timestamptz '1970-01-01 00:00:00+00', '-infinity', 'infinity');

create view wf_errors_hourly as
    select at as hour, kind, runs, jobs
    from wf_errors('1 hour', timestamptz '1970-01-01 00:00:00+00', '-infinity', 'infinity');

create view wf_model_stats as
    select at as hour, model_id, task, jobs, completed, failed, cancelled, cached, cache_hit_rate, cold_starts, load_ms,
        p50_ms, p95_ms, p99_ms, queue_wait_p50_ms, queue_wait_p95_ms, mean_batch_size, inference_ms, gpu_ms, share_ms,
        cost, 1000 * cost / nullif(completed, 0) as cost_per_1000
    from wf_models_used('1 hour', timestamptz '1970-01-01 00:00:00+00', '-infinity', 'infinity');

create view wf_cost_by_workflow as
    select at as hour, workflow_id, workflow, runs, inferences, run_ms, cost, cost_per_run, cost_per_1000_inferences
    from wf_costs('1 hour', timestamptz '1970-01-01 00:00:00+00', '-infinity', 'infinity');

create view wf_fleet_hourly as
    select at as hour, pools, workers, up_ms, busy_ms, idle_ms, utilisation, gpu_hours, cost, idle_cost
    from wf_fleet('1 hour', timestamptz '1970-01-01 00:00:00+00', '-infinity', 'infinity');

-- Jobs that have not ended, as far as the record knows; it is told of a job's start with its end. `GET /queues` asks Redis.
create view wf_queue_now as
    select pool, model_id, priority, count(*) as open, min(submitted_at) as oldest_at,
        (extract(epoch from now() - min(submitted_at)) * 1000)::bigint as oldest_ms
    from wf_inference_jobs
    where status in ('pending', 'queued', 'running')
    group by pool, model_id, priority;
