-- How many notifications were sent, for the dashboard. Nodes add what they have counted in memory once a minute, so a
-- notification itself writes nothing here. The first row says since when there are counts.
create table notification_counts (
    hour   timestamptz not null,
    kind   text not null check (kind in ('push', 'email')),
    sent   bigint not null,
    failed bigint not null,
    primary key (hour, kind)
);
