-- Definitions that nobody has used for long are looked for by that, among millions that were written into a request and are young.
create index wf_definitions_used_at_idx on wf_definitions (used_at);
