-- The epoch a lost run was last begun again with, written before it is: a second loss before anything of that life was recorded
-- must not use the same epoch for a third.
alter table wf_executions add column restarted_epoch integer;
