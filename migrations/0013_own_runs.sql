-- Runs that the api makes for its own ends, such as thumbnails, are nobody's workflow: a console that shows a page of pictures would
-- fill the reports with quick runs that cost next to nothing, and hide how the others fare. Reports that count runs leave them
-- out. Reports of jobs and of the fleet keep them: their jobs wait in the same queues and take the same workers' time.

-- Lists leave them out by the same rule.
create function wf_is_own_run(labels jsonb) returns boolean
language sql immutable
return labels @> '{"millrace": "thumbnail"}';

-- As before, without own runs.
create or replace function wf_kpi(bucket interval, origin timestamptz, since timestamptz, until timestamptz)
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
                and not wf_is_own_run(labels)
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

create or replace function wf_errors(bucket interval, origin timestamptz, since timestamptz, until timestamptz)
returns table (at timestamptz, kind text, runs bigint, jobs bigint)
language sql stable
begin atomic
    select at, kind, count(*) filter (where what = 'run'), count(*) filter (where what = 'job')
    from (
        select 'run' as what, date_bin(bucket, created_at, origin) as at, coalesce(error ->> 'kind', 'UNKNOWN') as kind
        from wf_executions
        where created_at >= since and created_at < until and status in ('failed', 'timed_out')
            and not wf_is_own_run(labels)
        union all
        select 'job', date_bin(bucket, submitted_at, origin), error_kind
        from wf_inference_jobs
        where submitted_at >= since and submitted_at < until and status = 'failed' and error_kind is not null
    ) wrong
    group by at, kind;
end;

create or replace function wf_costs(bucket interval, origin timestamptz, since timestamptz, until timestamptz)
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
            and not wf_is_own_run(labels)
        group by 1, 2
    ) counted;
end;
