-- What admins say to everybody. The latest one that is not over stands above everybody's conversations.

create table announcements (
    id       bigint generated always as identity primary key,
    body     text not null,
    said_at  timestamptz not null,
    over_at  timestamptz
);
create unique index announcements_current on announcements ((true)) where over_at is null;
