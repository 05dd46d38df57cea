-- Definitions, saved workflows and their versions.

-- One function serves every table that has `updated_at`. Triggers are `before update` only (on insert the default does), and only
-- when the statement has not set the column itself: the recording path does, and spares the call per row.
create function wf_touch_updated_at() returns trigger
language plpgsql as $$
begin
    new.updated_at := now();
    return new;
end
$$;

-- Content-addressed, shared by versions and runs. `json`, not `jsonb`: the bytes hash to the key and users get their
-- definition back in the order in which they wrote it.
create table wf_definitions (
    sha256 bytea not null,
    definition json not null,
    created_at timestamptz not null default now(),
    constraint wf_definitions_pkey primary key (sha256),
    constraint wf_definitions_sha256_length check (octet_length(sha256) = 32)
);

-- `deleted_at` rather than a delete: runs keep pointing at their workflow, and a client is told 410 instead of 404.
create table wf_workflows (
    id uuid not null,
    name text not null,
    latest_version integer not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    deleted_at timestamptz,
    constraint wf_workflows_pkey primary key (id),
    constraint wf_workflows_name_length check (char_length(name) between 1 and 200),
    constraint wf_workflows_latest_version_positive check (latest_version >= 1)
);

create trigger wf_workflows_touch before update on wf_workflows
    for each row when (new.updated_at is not distinct from old.updated_at) execute function wf_touch_updated_at();

create table wf_workflow_versions (
    workflow_id uuid not null,
    version integer not null,
    sha256 bytea not null,
    created_at timestamptz not null default now(),
    constraint wf_workflow_versions_pkey primary key (workflow_id, version),
    constraint wf_workflow_versions_workflow_fkey foreign key (workflow_id) references wf_workflows (id) on delete cascade,
    constraint wf_workflow_versions_definition_fkey foreign key (sha256) references wf_definitions (sha256),
    constraint wf_workflow_versions_version_positive check (version >= 1)
);

-- Answers "does any version still use this definition" when definitions are cleaned up.
create index wf_workflow_versions_sha256_idx on wf_workflow_versions (sha256);
