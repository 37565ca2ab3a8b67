-- When a node last had the registry at hand: by this a node without it knows whether it alone is cut off.

create table registry_seen (
    one boolean primary key default true check (one),
    at  timestamptz not null
) with (fillfactor = 10);

insert into registry_seen (at) values ('-infinity');
