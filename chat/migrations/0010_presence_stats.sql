-- What presence keeps for longer than Redis does: what people have chosen, and how many were here when.

create table presence_choices (
    user_id   bigint primary key references users on delete cascade,
    mode      text not null check (mode in ('online', 'away', 'dnd', 'invisible')),
    text      text not null default '',
    emoji     text not null default '',
    until_ms  bigint not null default 0,           -- when it ends, in milliseconds since 1970; 0 for never
    set_at_ms bigint not null
);

-- One row a minute for the whole installation, whichever node gets to it first.
create table presence_stats (
    minute  timestamptz primary key,
    people  integer not null,
    online  integer not null,
    away    integer not null,
    dnd     integer not null,
    streams integer not null,
    sockets integer not null,
    nodes   integer not null,
    reaped  bigint not null
);
