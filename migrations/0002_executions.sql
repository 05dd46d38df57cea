-- Runs: accepted by the api, brought forward by the writer.

-- History tables have no foreign keys to each other or to workflows: the writer must be able to record whatever happened, in
-- whatever order it arrives, and a row rebuilt from the stream alone must fit.
create table wf_executions (
    id uuid not null,
    workflow_id uuid,
    workflow_version integer,
    sha256 bytea,
    status text not null default 'pending',
    priority text not null default 'normal',
    pool text,
    labels jsonb not null default '{}',
    created_at timestamptz not null,
    started_at timestamptz,
    completed_at timestamptz,
    updated_at timestamptz not null default now(),
    duration_ms bigint,
    error_message text,
    error jsonb,
    input_data jsonb not null,
    output_data jsonb,
    node_metrics jsonb,
    progress jsonb,
    inference_jobs_pending integer not null default 0,
    inference_jobs_completed integer not null default 0,
    inference_jobs_failed integer not null default 0,
    trace_id text,
    region text,
    cost numeric(18, 9),
    callback_url text,
    batch_id uuid,
    idempotency_key text,
    -- The command as it was accepted, without its input (that is `input_data`): what a lost run is started again from. Null
    -- while only later events of the run have been recorded (several writers share its stream); such a row is not shown.
    accepted jsonb,
    -- The highest epoch of the log that was recorded; a rebuilt run gets the next.
    epoch integer not null default 1,
    -- A tombstone: the payload is gone, the id answers 410.
    deleted_at timestamptz,
    constraint wf_executions_pkey primary key (id),
    constraint wf_executions_status_known check (
        status in ('pending', 'running', 'completed', 'failed', 'cancelled', 'timed_out')),
    constraint wf_executions_priority_known check (priority in ('high', 'normal', 'low')),
    constraint wf_executions_sha256_length check (octet_length(sha256) = 32),
    constraint wf_executions_labels_object check (jsonb_typeof(labels) = 'object'),
    constraint wf_executions_duration_not_negative check (duration_ms >= 0),
    constraint wf_executions_jobs_not_negative check (
        inference_jobs_pending >= 0 and inference_jobs_completed >= 0 and inference_jobs_failed >= 0),
    constraint wf_executions_epoch_positive check (epoch >= 1)
) with (fillfactor = 85);

create trigger wf_executions_touch before update on wf_executions
    for each row when (new.updated_at is not distinct from old.updated_at) execute function wf_touch_updated_at();

-- Ids are UUIDv7, so the primary key, read backwards, is "newest first", and the filtered lists need only their column and the id.
create index wf_executions_status_idx on wf_executions (status, id);
create index wf_executions_workflow_idx on wf_executions (workflow_id, id) where workflow_id is not null;
create index wf_executions_batch_idx on wf_executions (batch_id, id) where batch_id is not null;

-- Most runs carry no labels and stay out of this one; the list query repeats the predicate.
create index wf_executions_labels_idx on wf_executions using gin (labels jsonb_path_ops) where labels <> '{}'::jsonb;

-- What the sweeper walks: small however large the history.
create index wf_executions_unfinished_idx on wf_executions (id)
    where status in ('pending', 'running') and accepted is not null and deleted_at is null;

-- Reports by time. Rows arrive in this order, so a block range index of a few pages does.
create index wf_executions_created_at_idx on wf_executions using brin (created_at) with (autosummarize = on);

-- A key is good for 24 hours; the accepting statement frees older ones first.
create unique index wf_executions_idempotency_key on wf_executions (idempotency_key) where idempotency_key is not null;
