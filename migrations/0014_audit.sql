-- Who changed what, when, and from where: every change that the api made, and every one of which it is not known whether it was made.
-- Written by the writer alone, like all history; nothing refers to it.
create table wf_audit (
    -- UUIDv7: the order of ids is the order of time.
    id uuid not null,
    at timestamptz not null,
    -- The api key, and what it was called then; null where no key was asked for.
    actor_id uuid,
    actor text,
    -- The operation's name in the OpenAPI document.
    action text not null,
    -- The address below /api/v1, without its query: of what was made, if something was.
    target text not null,
    -- The answer's; null when the caller went before there was one.
    status integer,
    -- Who was connected, and whom a proxy says that it speaks for, which nobody has verified.
    address text,
    forwarded_for text,
    request_id text,
    constraint wf_audit_pkey primary key (id),
    constraint wf_audit_status_is_one check (status between 100 and 599)
);

create index wf_audit_actor_idx on wf_audit (actor_id, id) where actor_id is not null;
create index wf_audit_action_idx on wf_audit (action, id);
create index wf_audit_target_idx on wf_audit (target, id);
