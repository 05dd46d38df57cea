-- Schedules: what starts runs by the clock. The truth is here; the timers in Redis are made again from it.

create table wf_schedules (
    id uuid not null,
    workflow_id uuid not null,
    -- What is started and when: cron, time zone, overlap, version, input, options.
    spec jsonb not null,
    enabled boolean not null default true,
    -- Counts changes of the schedule, for If-Match; firing is not a change.
    revision integer not null default 1,
    -- The next firing, jitter not counted: a cue for any other time is out of date. Null while it is disabled or over.
    next_at timestamptz,
    -- A firing that waits for an earlier run to end (overlap `queue`).
    waiting_at timestamptz,
    -- The last firing that was handled, what became of it, and why not if it failed.
    last_at timestamptz,
    last_outcome text,
    last_error text,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    deleted_at timestamptz,
    constraint wf_schedules_pkey primary key (id),
    constraint wf_schedules_workflow_fkey foreign key (workflow_id) references wf_workflows (id) on delete cascade,
    constraint wf_schedules_spec_object check (jsonb_typeof(spec) = 'object'),
    constraint wf_schedules_revision_positive check (revision >= 1),
    constraint wf_schedules_outcome_known check (last_outcome in ('started', 'waiting', 'skipped', 'failed')),
    constraint wf_schedules_disabled_never_fires check (enabled or next_at is null)
);

create index wf_schedules_workflow_idx on wf_schedules (workflow_id, id) where deleted_at is null;

-- What the reconciler walks: firings that are near, late or waiting. Small however many schedules there are.
create index wf_schedules_next_idx on wf_schedules (next_at) where deleted_at is null and next_at is not null;
create index wf_schedules_waiting_idx on wf_schedules (id) where deleted_at is null and waiting_at is not null;

-- The history of a schedule is its runs.
alter table wf_executions add column schedule_id uuid;
create index wf_executions_schedule_idx on wf_executions (schedule_id, id) where schedule_id is not null;
