-- Security events stand in the audit beside admin actions: log-ins, failures, refused calls, limits (deploy/decisions/0044-security-events.md).

alter table audit
    add column session bigint,                       -- the session of the actor, if there was one
    add column device  text not null default '',     -- that session's device, else what the client calls itself
    add column times   integer not null default 1;   -- how many equal events this row stands for

-- The events of one user, the latest first; and a time's place among them. The table is small when this runs.
create index audit_actor on audit (actor, id) where actor is not null;
create index audit_subject on audit (subject, id) where subject is not null;
create index audit_time on audit (at);
drop index audit_at;

-- A key a day, shared by all nodes. A name that matches no account is stored as a keyed hash; without the key, which is
-- deleted after a day, nobody can find out what was typed.
create table audit_keys (
    day date primary key,
    key bytea not null
);
