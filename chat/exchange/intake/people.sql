-- name: begin_import
-- How far this file came before.
insert into imports (print) values (%s) on conflict (print) do update set ended_at = null returning records

-- name: look_up_by_index
-- The tables are new and grow fast: PostgreSQL takes them for empty, and would read all of them for each group.
select set_config(name, 'off', true) from (values ('enable_seqscan'), ('enable_hashjoin'), ('enable_mergejoin')) as plan (name)

-- name: count_anew
analyze messages

-- name: move_import
update imports set records = %s where print = %s

-- name: end_import
update imports set ended_at = now() where print = %s

-- name: insert_people
-- An empty hash is no password's: nobody can log in.
insert into users (name, display_name, password_hash, role, about, time_zone, receipts, created_at, disabled_at)
select name, display_name, '', role, about, time_zone, receipts, coalesce(created_at, now()), disabled_at
  from unnest(%s::text[], %s::text[], %s::text[], %s::text[], %s::text[], %s::boolean[], %s::timestamptz[],
              %s::timestamptz[])
       as person (name, display_name, role, about, time_zone, receipts, created_at, disabled_at)
    on conflict do nothing

-- name: find_people
select lower(name), id from users where lower(name) = any(%s)

-- name: lock_people
-- Their memberships' foreign keys would lock them later, and no lock may come after the log's head.
select id from users where id = any(%s) order by id for key share

-- name: insert_blocks
insert into blocks (user_id, blocked_id) select * from unnest(%s::bigint[], %s::bigint[]) on conflict do nothing

-- name: mark_directs
update conversations c set blocked = true
 where c.pair = any(%s) and not c.blocked
   and exists (select from blocks b
                where c.pair = least(b.user_id, b.blocked_id) || ':' || greatest(b.user_id, b.blocked_id))

-- name: find_origins
select origin, id from conversations where origin = any(%s)

-- name: find_channels
select lower(name), id from conversations where kind = 'channel' and archived_at is null and lower(name) = any(%s)

-- name: find_pair
select id from conversations where pair = %s

-- name: reserve_id
-- Nobody is given this id any more.
select setval('conversations_id_seq', greatest(last_value, %s)) from conversations_id_seq

-- name: insert_conversation
-- No row: the id, the pair or the channel's name is taken. Without an id it gets the next one.
insert into conversations (id, kind, name, topic, private, pair, origin, created_by, created_at, archived_at,
                           slow_seconds, read_only, blocked)
overriding system value
values (coalesce(%(id)s, nextval('conversations_id_seq')), %(kind)s, %(name)s, %(topic)s, %(private)s, %(pair)s,
        %(origin)s, %(creator)s, coalesce(%(created_at)s, now()), %(archived_at)s, %(slow)s, %(read_only)s,
        exists (select from blocks b
                 where %(pair)s = least(b.user_id, b.blocked_id) || ':' || greatest(b.user_id, b.blocked_id)))
    on conflict do nothing
returning id

-- name: find_inhabited
-- In which of these conversations somebody is.
select distinct conversation_id from memberships where conversation_id = any(%s) and until is null

-- name: known_messages
-- Which client ids have made a message already, and which one.
select asked.n, m.conversation_id, m.seq
  from unnest(%s::bigint[], %s::bigint[], %s::text[]) with ordinality as asked (conversation_id, author_id, client_id, n)
  join messages m on m.conversation_id = asked.conversation_id and m.author_id = asked.author_id
                 and m.client_id = asked.client_id

-- name: insert_messages
insert into messages (conversation_id, seq, position, author_id, client_id, body, created_at, edited_at, deleted_at,
                      reply_to, thread, reactions, mentions, mentions_all)
select conversation_id, seq, position, author_id, client_id, body, created_at, edited_at, deleted_at,
       nullif(reply_to, 0), nullif(thread, 0), nullif(reactions, '')::jsonb, nullif(mentions, '')::bigint[],
       nullif(mentions_all, '')
  from unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::text[], %s::text[], %s::timestamptz[],
              %s::timestamptz[], %s::timestamptz[], %s::bigint[], %s::bigint[], %s::text[], %s::text[], %s::text[])
       as new (conversation_id, seq, position, author_id, client_id, body, created_at, edited_at, deleted_at,
               reply_to, thread, reactions, mentions, mentions_all)

-- name: insert_reactions
insert into reactions (conversation_id, seq, emoji, since, users)
select conversation_id, seq, emoji, since, users::bigint[]
  from unnest(%s::bigint[], %s::bigint[], %s::text[], %s::bigint[], %s::text[])
       as new (conversation_id, seq, emoji, since, users)

-- name: insert_edits
insert into message_edits (conversation_id, seq, number, body, user_id, at)
select * from unnest(%s::bigint[], %s::bigint[], %s::integer[], %s::text[], %s::bigint[], %s::timestamptz[])

-- name: move_last_seq
update conversations c set last_seq = new.seq from unnest(%s::bigint[], %s::bigint[]) as new (id, seq) where c.id = new.id

-- name: read_everything
-- What comes in counts as read by those who are in already, and with it what stood before.
update memberships m set read_seq = new.seq from unnest(%s::bigint[], %s::bigint[]) as new (conversation_id, seq)
 where m.conversation_id = new.conversation_id and m.until is null and m.read_seq < new.seq

-- name: describe_conversations
select id, kind, name, topic, private, archived_at is not null, last_seq, slow_seconds, read_only, blocked
  from conversations where id = any(%s) order by id

-- name: find_pinned
select asked.n from unnest(%s::bigint[], %s::bigint[]) with ordinality as asked (conversation_id, seq, n)
  join messages m on m.conversation_id = asked.conversation_id and m.seq = asked.seq and m.pinned is not null

-- name: find_seated
select asked.n from unnest(%s::bigint[], %s::bigint[]) with ordinality as asked (conversation_id, user_id, n)
  join memberships m on m.conversation_id = asked.conversation_id and m.user_id = asked.user_id and m.until is null

-- name: find_listening
-- Who of them may have a device that hears of it.
select distinct user_id from sessions where user_id = any(%s) and ended_at is null and expires_at > now()

-- name: insert_seats
insert into memberships (conversation_id, user_id, role, since, joined_at, read_seq, level, muted_until)
select s.conversation_id, s.user_id, s.role, s.since, coalesce(s.joined_at, now()),
       case when s.read_seq < 0 then c.last_seq else s.read_seq end, s.level, s.muted_until
  from unnest(%s::bigint[], %s::bigint[], %s::text[], %s::bigint[], %s::timestamptz[], %s::bigint[], %s::text[],
              %s::timestamptz[])
       as s (conversation_id, user_id, role, since, joined_at, read_seq, level, muted_until)
  join conversations c on c.id = s.conversation_id

-- name: move_marks
update memberships m set read_seq = new.seq
  from unnest(%s::bigint[], %s::bigint[], %s::bigint[]) as new (conversation_id, user_id, seq)
 where m.conversation_id = new.conversation_id and m.user_id = new.user_id and m.until is null and m.read_seq < new.seq

-- name: insert_follows
insert into thread_follows (conversation_id, user_id, root_seq, read_seq)
select * from unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[]) on conflict do nothing

-- name: insert_bans
insert into bans (conversation_id, user_id, banned_by, reason, at)
select * from unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::text[], %s::timestamptz[]) on conflict do nothing

-- name: find_ownerless
-- Conversations that nobody runs, and who shall: who began it there and is in, or else an admin of the server, or
-- else who is in the longest.
select c.id, coalesce(
           (select m.user_id from memberships m
             where m.conversation_id = c.id and m.user_id = c.created_by and m.until is null),
           (select u.id from users u where u.role = 'admin' and u.disabled_at is null order by u.id limit 1),
           (select m.user_id from memberships m where m.conversation_id = c.id and m.until is null
             order by m.joined_at, m.user_id limit 1))
  from conversations c
 where c.id = any(%s) and c.kind <> 'direct'
   and not exists (select from memberships m where m.conversation_id = c.id and m.role = 'owner' and m.until is null)
 order by c.id
