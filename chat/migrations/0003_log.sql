-- The log: everything durable that happens, in commit order, without holes, as the frames that readers get.

create table log (
    position        bigint not null,
    kind            text not null,
    conversation_id bigint,                      -- addressed to its members …
    user_id         bigint,                      -- … or to this person alone; neither: to everyone
    subject         bigint,                      -- whom a membership change is about; which login ended
    frame           bytea not null,
    at              timestamptz not null,
    primary key (position)
) partition by range (position);
create index log_conversation on log (conversation_id, position) where user_id is null and conversation_id is not null;
create index log_user on log (user_id, position) where user_id is not null;
create index log_everyone on log (position) where user_id is null and conversation_id is null;

-- One row. Its lock is the last one that any appending transaction takes: positions follow commit order.
create table log_head (
    one      boolean primary key default true check (one),
    epoch    text not null,
    origin   text not null,                      -- which history positions belong to: see log_origin()
    position bigint not null default 0,
    floor    bigint not null default 0           -- cursors below it have lost entries to retention
) with (fillfactor = 10);

-- The database cluster and its timeline. Both change by themselves when positions could be used again for other
-- content: another cluster after a logical restore, another timeline after a fail-over or a point-in-time restore.
create function log_origin() returns text language sql volatile as $$
    select system_identifier || '/' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) || '/' ||
           (select oid from pg_database where datname = current_database())
      from pg_control_system()
$$;

create function new_epoch() returns text language sql volatile as $$
    select string_agg(substr('0123456789abcdefghjkmnpqrstvwxyz', 1 + get_byte(bytes, i) % 32, 1), '')
      from (select uuid_send(gen_random_uuid()) as bytes) as random, generate_series(0, 5) as i
$$;

insert into log_head (epoch, origin) values (new_epoch(), log_origin());
