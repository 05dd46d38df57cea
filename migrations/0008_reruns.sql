-- Reruns: which run another one repeats, and which results it took over.

-- Follow from the command, whoever wrote the row.
alter table wf_executions
    add column rerun_of uuid generated always as ((accepted #>> '{rerun_of,execution_id}')::uuid) stored,
    add column rerun_from text generated always as (accepted #>> '{rerun_of,from}') stored;

create index wf_executions_rerun_of_idx on wf_executions (rerun_of) where rerun_of is not null;

alter table wf_node_runs
    -- The run that made the result, where it was another one.
    add column origin uuid,
    -- Output ports that were not taken, as a list of names; null when all were.
    add column skipped_ports jsonb;
