-- Node runs, and the jobs that workers were handed for them.

create table wf_node_runs (
    execution_id uuid not null,
    node_id text not null,
    -- `[3,0]` inside loops, empty outside.
    path text not null default '',
    block text not null,
    status text not null,
    attempt integer not null default 0,
    outputs jsonb,
    error jsonb,
    metrics jsonb,
    -- How a failure was absorbed (skip, default, item); null when it counted.
    handled text,
    worker_id text,
    queued_at timestamptz,
    started_at timestamptz,
    completed_at timestamptz,
    duration_ms bigint,
    epoch integer not null default 1,
    constraint wf_node_runs_pkey primary key (execution_id, node_id, path),
    constraint wf_node_runs_status_known check (
        status in ('pending', 'queued', 'running', 'completed', 'failed', 'cancelled', 'skipped', 'timed_out')),
    constraint wf_node_runs_attempt_not_negative check (attempt >= 0),
    constraint wf_node_runs_duration_not_negative check (duration_ms >= 0)
);

-- Node → where its time went: what the worker measured for a node that ran once, counts and the sum for a loop's.
create function wf_node_metrics(run uuid) returns jsonb
language sql stable as $$
    select jsonb_object_agg(node_id, metrics) from (
        select node_id,
            coalesce(case when count(*) = 1 then (array_agg(metrics))[1] end, '{}') || jsonb_build_object(
                'runs', count(*),
                'completed', count(*) filter (where status = 'completed'),
                'failed', count(*) filter (where status in ('failed', 'timed_out')),
                'duration_ms', coalesce(sum(duration_ms), 0)) as metrics
        from wf_node_runs where execution_id = run group by node_id) per_node
$$;

create table wf_inference_jobs (
    id uuid not null,
    execution_id uuid not null,
    node_id text not null,
    path text not null default '',
    task text not null,
    model_id text,
    model_source text,
    pool text not null,
    priority text not null default 'normal',
    worker_id text,
    status text not null default 'queued',
    submitted_at timestamptz not null,
    started_at timestamptz,
    completed_at timestamptz,
    updated_at timestamptz not null default now(),
    duration_ms bigint,
    result jsonb,
    error_message text,
    error_kind text,
    attempt integer not null default 1,
    metadata jsonb not null default '{}',
    constraint wf_inference_jobs_pkey primary key (id),
    constraint wf_inference_jobs_status_known check (
        status in ('pending', 'queued', 'running', 'completed', 'failed', 'cancelled')),
    constraint wf_inference_jobs_attempt_positive check (attempt >= 1),
    constraint wf_inference_jobs_duration_not_negative check (duration_ms >= 0)
);

create trigger wf_inference_jobs_touch before update on wf_inference_jobs
    for each row when (new.updated_at is not distinct from old.updated_at) execute function wf_touch_updated_at();

create index wf_inference_jobs_execution_idx on wf_inference_jobs (execution_id, submitted_at, id);
create index wf_inference_jobs_status_idx on wf_inference_jobs (status, submitted_at desc);
-- Leads with the model: "p95 by model over a window" reads one range per model; blocks without a model stay out.
create index wf_inference_jobs_model_idx on wf_inference_jobs (model_id, task, submitted_at desc) where model_id is not null;
