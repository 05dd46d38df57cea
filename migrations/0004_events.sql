-- The durable events of all runs, one partition per day (UTC), so that retention is a drop and not a delete.

-- Idempotency is by (execution_id, epoch, seq). Postgres wants the partition column in the key; that takes nothing away, because
-- `time` is part of the envelope: every copy of one event carries the same.
create table wf_events (
    execution_id uuid not null,
    epoch integer not null,
    seq bigint not null,
    time timestamptz not null,
    type text not null,
    id text not null,
    source text not null,
    workflow_id uuid,
    node_id text,
    path text,
    attempt integer,
    subject text,
    traceparent text,
    -- `json`: stored as it was said, replayed as it was said, and cheaper to write than `jsonb`.
    data json not null,
    constraint wf_events_pkey primary key (execution_id, epoch, seq, time),
    constraint wf_events_epoch_positive check (epoch >= 1),
    constraint wf_events_seq_positive check (seq >= 1)
) partition by range (time);

-- Nothing is ever refused for want of a partition.
create table wf_events_default partition of wf_events default;

-- The name of a day's partition.
create function wf_events_partition_name(day date) returns text
language sql immutable as $$
    select 'wf_events_' || to_char(day, 'YYYYMMDD')
$$;

-- Makes the partitions of `days` days from `first_day` on; returns how many were new.
-- A table is made on its own and then attached: that lets inserts go on, where `create table … partition of` would lock them out.
-- Rows of that day that had fallen into the default partition move over.
create function wf_events_ensure_partitions(first_day date, days integer) returns integer
language plpgsql as $$
declare
    day date;
    part text;
    lower_bound timestamptz;
    upper_bound timestamptz;
    made integer := 0;
begin
    -- One maker at a time, however many writers there are.
    perform pg_advisory_xact_lock(hashtext('wf_events partitions'), hashtext(current_schema));
    for offset_days in 0 .. days - 1 loop
        day := first_day + offset_days;
        part := wf_events_partition_name(day);
        continue when to_regclass(quote_ident(current_schema) || '.' || quote_ident(part)) is not null;
        lower_bound := day::timestamp at time zone 'UTC';
        upper_bound := (day + 1)::timestamp at time zone 'UTC';
        execute format('create table %I (like wf_events including all)', part);
        -- Without this, attaching would scan the new table to learn what the constraint says.
        execute format('alter table %I add constraint wf_events_day check (time >= %L and time < %L)',
            part, lower_bound, upper_bound);
        if exists (select from wf_events_default where time >= lower_bound and time < upper_bound) then
            -- Readers wait: one that had planned without the new table would find the moved rows in neither.
            lock table wf_events in access exclusive mode;
            execute format('with moved as (delete from wf_events_default where time >= %L and time < %L returning *)
                insert into %I select * from moved', lower_bound, upper_bound, part);
        end if;
        execute format('alter table wf_events attach partition %I for values from (%L) to (%L)',
            part, lower_bound, upper_bound);
        execute format('alter table %I drop constraint wf_events_day', part);
        made := made + 1;
    end loop;
    return made;
end
$$;

-- Drops the partitions of days before `first_kept`, and what the default partition holds of them; returns how many were dropped.
create function wf_events_drop_partitions(first_kept date) returns integer
language plpgsql as $$
declare
    part text;
    dropped integer := 0;
begin
    perform pg_advisory_xact_lock(hashtext('wf_events partitions'), hashtext(current_schema));
    for part in
        select child.relname
        from pg_inherits
        join pg_class child on child.oid = pg_inherits.inhrelid
        where pg_inherits.inhparent = 'wf_events'::regclass
            and child.relname ~ '^wf_events_[0-9]{8}$'
            and child.relname < wf_events_partition_name(first_kept)
        order by child.relname
    loop
        execute format('drop table %I', part);
        dropped := dropped + 1;
    end loop;
    delete from wf_events_default where time < (first_kept::timestamp at time zone 'UTC');
    return dropped;
end
$$;

-- What could not be recorded, with the reason, so that one bad event never holds up the rest.
create table wf_dead_letters (
    event_id text not null,
    execution_id uuid,
    epoch integer,
    seq bigint,
    type text not null,
    -- `text`: this is where events end up that the database would not take.
    event text not null,
    reason text not null,
    created_at timestamptz not null default now(),
    constraint wf_dead_letters_pkey primary key (event_id)
);

create index wf_dead_letters_created_at_idx on wf_dead_letters (created_at desc);
