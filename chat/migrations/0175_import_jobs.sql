-- Imports that admins run in the app, and what each import has brought, so that it can be undone.

alter table imports add column id bigint generated always as identity;
create unique index imports_id on imports (id);

-- What an import made, written in the transaction that made it. `first` and `last` are ids of users, or seqs of messages.
-- 'user': an account that it made; 'used': one that it found; 'kept': the author of a message that an undo has left as a
-- deleted one. 'conversation': one that it made.
-- 'messages': a range of its messages. 'member': a membership.
create table import_parts (
    import_id       bigint not null references imports (id) on delete cascade,
    kind            text not null check (kind in ('user', 'used', 'kept', 'conversation', 'messages', 'member')),
    conversation_id bigint not null default 0,
    first           bigint not null,
    last            bigint not null,
    primary key (import_id, kind, conversation_id, first)
);
create index import_parts_users on import_parts (first) where kind in ('user', 'used', 'kept');

-- One row for each file that an admin gave, or the command line imported. `run` counts the processes that worked on it:
-- an older one that still lives can change nothing. `attempts`: processes since the last progress.
create table import_jobs (
    id          bigint generated always as identity primary key,
    file_id     bigint references files on delete set null,
    import_id   bigint references imports (id) on delete set null,
    name        text not null,
    size        bigint not null,
    channel     text,                            -- for lines that name none
    actor       bigint,                          -- the admin; null: the command line
    state       text not null check (state in ('checking', 'ready', 'running', 'stopped', 'done', 'failed',
                                               'undoing', 'undone')),
    chosen      jsonb,                           -- keys of conversations; null: all
    people      jsonb,                           -- usernames here by ids or names there
    plan        jsonb,                           -- the result of the check
    result      jsonb,                           -- the result of the import
    undone      jsonb,                           -- the result of the undo
    progress    jsonb not null default '{}',
    problem     text not null default '',
    at          timestamptz not null default now(),
    started_at  timestamptz,
    ended_at    timestamptz,
    node        text,
    lease_until timestamptz,
    run         bigint not null default 0,
    attempts    integer not null default 0
);
create index import_jobs_active on import_jobs (id) where state in ('checking', 'running', 'undoing');
create index import_jobs_file on import_jobs (file_id);
create index import_jobs_import on import_jobs (import_id);

-- Uploads that are to be imported: they use no quota, and cannot be put into a message.
alter table files add column for_import boolean not null default false;
