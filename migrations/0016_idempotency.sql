-- A request that is sent again is known by its key, and is the same if it asks for the same. The run's row cannot tell: `jsonb` writes
-- some values otherwise than they were sent, and what a request names may have changed since. Null for runs without a key, and
-- for those of the version before, of which a key alone has to do.
alter table wf_executions add column idempotency_digest bytea;
