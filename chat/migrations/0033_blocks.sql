-- Who does not want to have to do with whom. It holds both ways, and only the one who blocked is told of it.

create table blocks (
    user_id    bigint not null references users on delete cascade,
    blocked_id bigint not null references users on delete cascade,
    created_at timestamptz not null default now(),
    primary key (user_id, blocked_id),
    check (user_id <> blocked_id)
);
create index blocks_blocked on blocks (blocked_id, user_id);

-- Of a direct conversation: one of the two has blocked the other. Kept here, so that a post reads it with its lock.
alter table conversations add column blocked boolean not null default false;
