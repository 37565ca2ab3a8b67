-- name: read_source
-- The identity of the database, which does not change with its timeline.
select origin from log_head

-- name: count_everything
select coalesce(sum(last_seq), 0)::bigint from conversations
 where (%(only)s::bigint is null or id = %(only)s) and not is_probe(id)

-- name: list_users
-- All users, or those related to one conversation, without their private settings: members, authors, banned users.
select u.id, name, display_name, role, about, time_zone, receipts, created_at, disabled_at,
       coalesce(u.email, (select min(i.email) from imported_users i where i.user_id = u.id)), avatar,
       case when %(only)s::bigint is null then language else '' end,
       case when %(only)s::bigint is null then notify end, case when %(only)s::bigint is null then keywords end
  from users u
 where not is_probe(u.id) and (%(only)s::bigint is null
    or u.id in (select m.user_id from memberships m where m.conversation_id = %(only)s
                 union select m.author_id from messages m where m.conversation_id = %(only)s
                 union select b.user_id from bans b where b.conversation_id = %(only)s))
 order by lower(name)

-- name: list_emoji
select e.name, lower(u.name), e.created_at
  from custom_emoji e left join users u on u.id = e.user_id order by e.created_at, e.name

-- name: list_blocks
select u.name, o.name from blocks b join users u on u.id = b.user_id join users o on o.id = b.blocked_id
 order by u.name, o.name

-- name: list_conversations
-- Conversations from an id on, or one.
select c.id, c.kind, c.name, c.topic, c.private, c.pair, c.created_by, c.created_at, c.archived_at, c.slow_seconds,
       c.read_only
  from conversations c where c.id >= %(first)s and (%(only)s::bigint is null or c.id = %(only)s) and not is_probe(c.id)
 order by c.id

-- name: list_messages
-- References to other messages are returned as author and client id, which are valid in every database. A message that is
-- still written is exported with its text so far, as one that failed.
select m.seq, m.author_id, m.client_id,
       case when m.streamed = 'running'
            then m.body || coalesce((select string_agg(t.body, '' order by t.at) from streamed_texts t
                                      where t.conversation_id = m.conversation_id and t.seq = m.seq), '')
            else m.body end,
       m.created_at, m.edited_at, m.deleted_at,
       q.author_id, q.client_id, t.author_id, t.client_id, m.mentions, m.mentions_all,
       case when m.reactions is not null then (
           select jsonb_agg(jsonb_build_array(r.emoji, r.users) order by r.since) from reactions r
            where r.conversation_id = m.conversation_id and r.seq = m.seq) end,
       case when m.edited_at is not null or m.deleted_at is not null then (
           select jsonb_agg(jsonb_build_array(e.body, e.user_id, to_char(e.at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'))
                            order by e.number)
             from message_edits e
            where e.conversation_id = m.conversation_id and e.seq = m.seq) end,
       m.files, m.type, m.data, case when m.streamed = 'running' then 'failed' else m.streamed end, m.previews
  from messages m
  left join lateral (select o.author_id, o.client_id from messages o
                      where o.conversation_id = m.conversation_id and o.seq = m.reply_to) q on m.reply_to is not null
  left join lateral (select o.author_id, o.client_id from messages o
                      where o.conversation_id = m.conversation_id and o.seq = m.thread) t on m.thread is not null
 where m.conversation_id = %(conversation)s and m.seq > %(after)s
   and (%(author)s::bigint is null or m.author_id = %(author)s)
 order by m.seq

-- name: list_pins
select m.author_id, m.client_id, m.pinned_by from messages m
 where m.conversation_id = %(conversation)s and m.pinned is not null
   and (%(user)s::bigint is null or m.pinned_by = %(user)s)
 order by m.pinned

-- name: list_members
-- With the last message that each member has read.
select m.user_id, m.role, m.joined_at, r.author_id, r.client_id, m.level, m.own_level, m.muted_until
  from memberships m join users u on u.id = m.user_id
  left join messages r on r.conversation_id = m.conversation_id and r.seq = m.read_seq
 where m.conversation_id = %(conversation)s and m.until is null and (%(user)s::bigint is null or m.user_id = %(user)s)
 order by u.name

-- name: list_follows
select f.user_id, t.author_id, t.client_id, r.author_id, r.client_id
  from thread_follows f join users u on u.id = f.user_id
  join messages t on t.conversation_id = f.conversation_id and t.seq = f.root_seq
  join messages r on r.conversation_id = f.conversation_id and r.seq = f.read_seq
 where f.conversation_id = %(conversation)s and (%(user)s::bigint is null or f.user_id = %(user)s)
 order by f.root_seq, u.name

-- name: list_bans
select b.user_id, b.banned_by, b.reason, b.at from bans b join users u on u.id = b.user_id
 where b.conversation_id = %(conversation)s and (%(user)s::bigint is null or b.user_id = %(user)s)
 order by u.name

-- name: begin_snapshot
-- The whole export reads one snapshot.
begin transaction isolation level repeatable read, read only

-- name: set_timeouts
-- The client that reads the lines may be slow, but not stop forever.
set statement_timeout = 0; set idle_in_transaction_session_timeout = '60s'

-- name: read_names
select id, lower(name) from users where id = any(%s)
