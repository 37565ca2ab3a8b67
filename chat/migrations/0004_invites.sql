-- Invitations: codes that allow signing up where SIGNUP=invite. Like tokens, they are stored hashed.

create table invites (
    code_hash  bytea primary key,
    uses_left  integer not null check (uses_left >= 0),
    created_by bigint references users on delete set null,
    created_at timestamptz not null default now(),
    expires_at timestamptz not null
);
