-- Vectors for similarity_search. The points of each collection are in a table of its own, `wf_points_<number>`, which the store
-- makes and drops with it: one collection neither slows nor locks another, deleting a large one takes no time, and an index of
-- the extension `vector` is for one dimension.

create table wf_collections (
    name text not null,
    -- Names its table: a later collection of the same name is another one.
    number bigint generated always as identity,
    dimension integer not null,
    metric text not null default 'cosine',
    -- Whether its table has an index of the extension `vector`; otherwise a search looks at every point.
    indexed boolean not null,
    -- Counted with every write: counting a million rows takes longer than a search.
    points bigint not null default 0,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint wf_collections_pkey primary key (name),
    constraint wf_collections_number_unique unique (number),
    constraint wf_collections_name_length check (char_length(name) between 1 and 64),
    constraint wf_collections_dimension_range check (dimension between 1 and 4096),
    constraint wf_collections_metric_known check (metric in ('cosine', 'dot')),
    constraint wf_collections_points_not_negative check (points >= 0)
);

create trigger wf_collections_touch before update on wf_collections
    for each row when (new.updated_at is not distinct from old.updated_at) execute function wf_touch_updated_at();
