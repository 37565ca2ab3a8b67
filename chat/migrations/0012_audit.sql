-- Who did what with powers that others lack: looked behind a green dot, ended a login, disabled an account. Rows
-- refer to nothing, for they must outlive what they tell of.

create table audit (
    id      bigint generated always as identity primary key,
    at      timestamptz not null default now(),
    actor   bigint,                              -- the user who did it; null: the server, or its command line
    action  text not null,                       -- noun.verb
    subject bigint,                              -- the user whom it is about, if it is about one
    address inet,                                -- of the client, not of a proxy
    detail  jsonb not null default '{}'
);
create index audit_at on audit using brin (at);
