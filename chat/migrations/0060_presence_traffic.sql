-- The dashboard's history also tells who came and went, what was found of ghosts, and how far the log had come. All of
-- these only grow, until the registry is lost and they begin again.

alter table presence_stats
    add column joins    bigint not null default 0,
    add column leaves   bigint not null default 0,
    add column ghosts   bigint not null default 0,
    add column position bigint not null default 0;
