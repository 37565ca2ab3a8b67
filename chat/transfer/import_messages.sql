-- name: known_messages
-- Messages that already exist, by author and client id.
select asked.n, m.conversation_id, m.seq
  from unnest(%s::bigint[], %s::bigint[], %s::text[]) with ordinality as asked (conversation_id, author_id, client_id, n)
  join messages m on m.conversation_id = asked.conversation_id and m.author_id = asked.author_id
                 and m.client_id = asked.client_id

-- name: find_newest
select m.conversation_id, m.created_at
  from conversations c join messages m on m.conversation_id = c.id and m.seq = c.last_seq where c.id = any(%s)

-- name: insert_messages
insert into messages (conversation_id, seq, position, author_id, client_id, body, created_at, edited_at, deleted_at,
                      reply_to, thread, reactions, mentions, mentions_all, type, data, streamed, previews)
select conversation_id, seq, position, author_id, client_id, body, created_at, edited_at, deleted_at,
       nullif(reply_to, 0), nullif(thread, 0), nullif(reactions, '')::jsonb, nullif(mentions, '')::bigint[],
       nullif(mentions_all, ''), type, data, streamed, previews::jsonb
  from unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::text[], %s::text[], %s::timestamptz[],
              %s::timestamptz[], %s::timestamptz[], %s::bigint[], %s::bigint[], %s::text[], %s::text[], %s::text[],
              %s::text[], %s::text[], %s::text[], %s::text[])
       as new (conversation_id, seq, position, author_id, client_id, body, created_at, edited_at, deleted_at,
               reply_to, thread, reactions, mentions, mentions_all, type, data, streamed, previews)

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

-- name: mark_as_read
-- Imported messages count as read by existing members, and so does everything before them.
update memberships m set read_seq = new.seq from unnest(%s::bigint[], %s::bigint[]) as new (conversation_id, seq)
 where m.conversation_id = new.conversation_id and m.until is null and m.read_seq < new.seq

-- name: describe_conversations
select id, kind, name, topic, private, archived_at is not null, last_seq, slow_seconds, read_only, blocked
  from conversations where id = any(%s) order by id

-- name: lock_conversations
select id, last_seq from conversations where id = any(%s) order by id for no key update

-- name: lock_users
-- The foreign keys of memberships would lock them later, but no lock may be taken after the log's head.
select id from users where id = any(%s) order by id for key share

-- name: find_with_members
-- Those of the conversations that have members.
select distinct conversation_id from memberships where conversation_id = any(%s) and until is null

-- name: find_pinned
select asked.n from unnest(%s::bigint[], %s::bigint[]) with ordinality as asked (conversation_id, seq, n)
  join messages m on m.conversation_id = asked.conversation_id and m.seq = asked.seq and m.pinned is not null

-- name: find_members
select asked.n from unnest(%s::bigint[], %s::bigint[]) with ordinality as asked (conversation_id, user_id, n)
  join memberships m on m.conversation_id = asked.conversation_id and m.user_id = asked.user_id and m.until is null

-- name: find_with_sessions
-- Those of the users who have an open session, so that a device may be connected.
select distinct user_id from sessions where user_id = any(%s) and ended_at is null and expires_at > now()

-- name: insert_members
insert into memberships (conversation_id, user_id, role, since, joined_at, read_seq, level, own_level, muted_until)
select s.conversation_id, s.user_id, s.role, s.since, coalesce(s.joined_at, now()),
       case when s.read_seq < 0 then c.last_seq else s.read_seq end, s.level, s.own_level, s.muted_until
  from unnest(%s::bigint[], %s::bigint[], %s::text[], %s::bigint[], %s::timestamptz[], %s::bigint[], %s::text[],
              %s::boolean[], %s::timestamptz[])
       as s (conversation_id, user_id, role, since, joined_at, read_seq, level, own_level, muted_until)
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
