-- What came of telling a run's `callback_url` of its end. Null while the run goes on or the news is on its way.
alter table wf_executions
    add column callback_status text,
    add column callback_attempts integer,
    add column callback_error text,
    add column callback_at timestamptz,
    add constraint wf_executions_callback_status_known check (callback_status in ('delivered', 'failed'));

-- Those who are still to be told, what the orchestrators look through: small however large the history.
create index wf_executions_callback_idx on wf_executions (id)
    where callback_url is not null and callback_status is null;
