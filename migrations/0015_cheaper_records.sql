-- What recording a batch costs Postgres beside its rows.

-- Node → where its time went, as `wf_node_metrics` told it; as a table, so that the statement that asks for many runs plans it
-- once, together with itself, where the other is planned anew whenever it is asked and started anew for every run.
create function wf_measured_nodes(run uuid) returns table (nodes jsonb)
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

-- The version before asks this.
create or replace function wf_node_metrics(run uuid) returns jsonb
language sql stable as $$
    select nodes from wf_measured_nodes(run)
$$;

-- No condition looks into these, so nobody needs to know how their values are distributed; sorting samples of them was most of
-- what `analyze` did, and it comes every minute while runs come in.
alter table wf_executions alter column input_data set statistics 0, alter column output_data set statistics 0,
    alter column node_metrics set statistics 0, alter column progress set statistics 0, alter column accepted set statistics 0,
    alter column error set statistics 0;
alter table wf_node_runs alter column outputs set statistics 0, alter column metrics set statistics 0,
    alter column error set statistics 0;
alter table wf_inference_jobs alter column result set statistics 0, alter column metadata set statistics 0;
