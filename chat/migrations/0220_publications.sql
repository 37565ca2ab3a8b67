-- Where publishing to other systems (POSTS_TO) stands: everything up to `position` is stored by the broker. One node
-- publishes to a target at a time, and holds its lease.
create table publications (
    target      text primary key,
    epoch       text not null,
    position    bigint not null,
    holder      text,
    lease_until timestamptz not null default now()
);
