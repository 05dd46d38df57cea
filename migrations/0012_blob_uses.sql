-- Who refers to which blob. What nobody refers to and nobody has touched for a while is deleted by the writer.

-- The owner is a run, a schedule, a definition (the first half of its digest), or a collection (its number). `unread`: the blob is a JSON value that may
-- refer to more, and nobody has looked yet. No foreign keys: history is recorded in whatever order it arrives.
create table wf_blob_uses (
    owner uuid not null,
    sha256 bytea not null,
    unread boolean not null default false,
    constraint wf_blob_uses_pkey primary key (owner, sha256),
    constraint wf_blob_uses_sha256_length check (octet_length(sha256) = 32)
);

create index wf_blob_uses_sha256_idx on wf_blob_uses (sha256);
create index wf_blob_uses_unread_idx on wf_blob_uses (owner, sha256) where unread;

-- What was recorded before anybody kept count: every digest that is written anywhere in it. Too many is safe, too few is not.
insert into wf_blob_uses (owner, sha256, unread)
select owner, decode(hex, 'hex'), true
from (
    select id as owner, unnest(regexp_matches(input_data::text || coalesce(output_data::text, ''), '[0-9a-f]{64}', 'g')) as hex
    from wf_executions where deleted_at is null
    union
    select execution_id, unnest(regexp_matches(outputs::text, '[0-9a-f]{64}', 'g')) from wf_node_runs where outputs is not null
    union
    select id, unnest(regexp_matches(spec::text, '[0-9a-f]{64}', 'g')) from wf_schedules where deleted_at is null
) as found;

-- Definitions of runs of no saved workflow; those of saved ones are kept by their versions.
alter table wf_definitions add column used_at timestamptz not null default now();
create index wf_executions_definition_idx on wf_executions (sha256) where workflow_id is null;
