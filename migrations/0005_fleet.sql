-- The registry of models, the fleet, api keys, and what is known of blobs.

create table wf_models (
    id text not null,
    source text not null default 'pretrained',
    family text,
    task text not null,
    labels jsonb not null default '[]',
    input_size jsonb,
    size_bytes bigint,
    digest text,
    location text,
    metadata jsonb not null default '{}',
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint wf_models_pkey primary key (id),
    constraint wf_models_source_known check (source in ('pretrained', 'trained', 'url')),
    constraint wf_models_size_not_negative check (size_bytes >= 0)
);

create trigger wf_models_touch before update on wf_models
    for each row when (new.updated_at is not distinct from old.updated_at) execute function wf_touch_updated_at();

create index wf_models_task_idx on wf_models (task, id);

create table wf_workers (
    id text not null,
    status text not null default 'active',
    pools jsonb not null default '[]',
    info jsonb not null default '{}',
    version text,
    started_at timestamptz not null,
    last_seen_at timestamptz not null,
    updated_at timestamptz not null default now(),
    constraint wf_workers_pkey primary key (id),
    constraint wf_workers_status_known check (status in ('active', 'draining', 'lost', 'stopped'))
);

create trigger wf_workers_touch before update on wf_workers
    for each row when (new.updated_at is not distinct from old.updated_at) execute function wf_touch_updated_at();

create index wf_workers_last_seen_idx on wf_workers (last_seen_at desc);

-- Only the hash of a key is kept; `prefix` is what its owner recognises it by.
create table wf_api_keys (
    id uuid not null,
    name text not null,
    prefix text not null,
    hash bytea not null,
    scopes text[] not null,
    created_at timestamptz not null default now(),
    last_used_at timestamptz,
    revoked_at timestamptz,
    constraint wf_api_keys_pkey primary key (id),
    constraint wf_api_keys_hash_unique unique (hash),
    constraint wf_api_keys_hash_length check (octet_length(hash) = 32),
    constraint wf_api_keys_scopes_known check (scopes <@ array['run', 'read', 'admin']::text[] and cardinality(scopes) > 0)
);

create table wf_blobs (
    sha256 bytea not null,
    size_bytes bigint not null,
    media_type text,
    width integer,
    height integer,
    created_at timestamptz not null default now(),
    constraint wf_blobs_pkey primary key (sha256),
    constraint wf_blobs_sha256_length check (octet_length(sha256) = 32),
    constraint wf_blobs_size_not_negative check (size_bytes >= 0)
);
