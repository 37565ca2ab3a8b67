-- name: list_channels
-- By key, after a key. Members are counted up to 1,000, so that the cost does not grow with the channels' size.
select c.look_key, c.id, c.name, c.topic, m.role, members.number,
       (select o.name from conversations o
         where o.skeleton = c.skeleton and o.id < c.id and o.kind = 'channel' and not o.private and o.archived_at is null
         order by o.id limit 1)
  from conversations c
  left join memberships m on m.conversation_id = c.id and m.user_id = %(user)s and m.until is null
 cross join lateral (
       select count(*) from (select from memberships o where o.conversation_id = c.id and o.until is null limit 1000) few
       ) as members (number)
 where c.kind = 'channel' and not c.private and c.archived_at is null and c.look_key > %(after)s
   and (%(only)s::bigint[] is null or c.id = any(%(only)s::bigint[]))
   and (position(%(look)s in c.look_key) > 0 or position(lower(%(q)s) in lower(c.topic)) > 0)
 order by c.look_key limit %(most)s

-- name: list_archived
-- A user's archived conversations, the latest created first, below an id.
select c.id, c.kind, c.name, c.topic, c.private, m.role, members.ids
  from memberships m join conversations c on c.id = m.conversation_id
  left join lateral (
       select array_agg(o.user_id order by o.user_id) from memberships o
        where c.kind <> 'channel' and o.conversation_id = c.id and o.until is null) as members (ids) on true
 where m.user_id = %(user)s and m.until is null and c.archived_at is not null and c.id < %(before)s
 order by c.id desc limit %(most)s

-- name: list_views
-- One snapshot: the log's head, the blocked users, the invitations, the sidebar, and the conversations at that position.
-- Last messages are complete up to a number of bytes in total, the latest first; older ones are cut, without files or data.
-- Deleted messages count as read. A user's own messages are beyond the read mark only after a request to mark messages as
-- unread, because posting moves it. The request counted them. What is the same for all rows is in the first one.
select head.epoch, head.position,
       (select coalesce(array_agg(b.blocked_id order by b.blocked_id), '{}') from blocks b where b.user_id = %(user)s),
       (select coalesce(jsonb_agg(told.* order by told.at, told.conversation), '[]') from told_invitations told
         where told.user_id = %(user)s),
       (select jsonb_build_object('version', s.version) || s.document from sidebars s where s.user_id = %(user)s),
       case when row_number() over latest = 1 then (
           select coalesce(jsonb_agg(jsonb_build_object('conversation', s.conversation_id, 'seq', s.seq) order by s.id), '[]')
             from saved_messages s
             join memberships o on o.conversation_id = s.conversation_id and o.user_id = s.user_id and o.until is null
            where s.user_id = %(user)s and not s.done) end,
       c.id, c.kind, c.name, c.topic, c.private, c.archived_at is not null, c.last_seq,
       c.slow_seconds, c.read_only, m.role, m.read_seq, m.unread_until > m.read_seq, unread.number, mentions.number,
       level_of(m.level, m.own_level, c.kind, (select u.notify from users u where u.id = %(user)s), (select t.notify from team t)),
       m.muted_until, m.own_level or m.level <> 'all', members.ids,
       last.conversation_id, last.seq, last.author_id,
       case when sum(last.size) over latest > %(bytes)s then left(last.body, %(excerpt)s) else last.body end,
       last.client_id, last.created_at, last.edited_at, last.deleted, last.reply_to, last.thread, last.replies,
       last.last_reply, last.last_reply_at, last.pinned, last.reactions, last.mentions, last.mentions_all,
       case when sum(last.size) over latest <= %(bytes)s then last.files end, last.type,
       case when sum(last.size) over latest <= %(bytes)s then last.data end, last.streaming, last.state,
       case when sum(last.size) over latest <= %(bytes)s then last.previews end
  from log_head head
  left join (memberships m join conversations c on c.id = m.conversation_id and c.archived_at is null)
    on m.user_id = %(user)s and m.until is null
  left join lateral (
       select c.last_seq - m.read_seq - case when m.unread_until > m.read_seq then m.unread_own else 0 end - count(*)
         from messages d
        where d.conversation_id = c.id and d.seq > m.read_seq and d.deleted_at is not null and d.author_id <> m.user_id
       ) as unread (number) on true
  left join lateral (
       select count(*) from mentions x
        where x.conversation_id = c.id and x.user_id in (m.user_id, 0) and x.author_id <> m.user_id and x.seq > m.read_seq
          and not exists (select from blocks b where b.user_id = m.user_id and b.blocked_id = x.author_id)) as mentions (number) on true
  left join lateral (
       select array_agg(o.user_id order by o.user_id) from memberships o
        where c.kind <> 'channel' and o.conversation_id = c.id and o.until is null) as members (ids) on true
  left join lateral (
       select *, octet_length(t.body) + coalesce(octet_length(t.data), 0) + coalesce(octet_length(t.previews::text), 0) as size
         from displayed_messages t where t.conversation_id = c.id and t.seq = c.last_seq limit 1) last on true
window latest as (order by coalesce(last.created_at, c.created_at) desc, c.id)
 order by coalesce(last.created_at, c.created_at) desc, c.id

-- name: find_view
-- A conversation as a user sees it. A public channel has nothing unread for a user who is not a member.
select c.id, c.kind, c.name, c.topic, c.private, c.archived_at is not null, c.last_seq,
       c.slow_seconds, c.read_only, m.role, coalesce(m.read_seq, c.last_seq), coalesce(m.unread_until > m.read_seq, false),
       unread.number, mentions.number,
       level_of(coalesce(m.level, 'all'), coalesce(m.own_level, false), c.kind,
                (select u.notify from users u where u.id = %(user)s), (select t.notify from team t)),
       m.muted_until, coalesce(m.own_level or m.level <> 'all', false), members.ids, last.*,
       (select o.name from conversations o
         where o.skeleton = c.skeleton and o.id < c.id and o.kind = 'channel' and not o.private and o.archived_at is null
           and c.kind = 'channel' and not c.private and c.archived_at is null
         order by o.id limit 1)
  from conversations c
  left join memberships m on m.conversation_id = c.id and m.user_id = %(user)s and m.until is null
  left join lateral (
       select c.last_seq - m.read_seq - case when m.unread_until > m.read_seq then m.unread_own else 0 end - count(*)
         from messages d
        where d.conversation_id = c.id and d.seq > m.read_seq and d.deleted_at is not null and d.author_id <> m.user_id
       ) as unread (number) on true
  left join lateral (
       select count(*) from mentions x
        where x.conversation_id = c.id and x.user_id in (m.user_id, 0) and x.author_id <> m.user_id and x.seq > m.read_seq
          and not exists (select from blocks b where b.user_id = m.user_id and b.blocked_id = x.author_id)) as mentions (number) on true
  left join lateral (
       select array_agg(o.user_id order by o.user_id) from memberships o
        where c.kind <> 'channel' and o.conversation_id = c.id and o.until is null) as members (ids) on true
  left join lateral (
       select * from displayed_messages t where t.conversation_id = c.id and t.seq = c.last_seq limit 1) last on true
 where c.id = %(conversation)s and (m.user_id is not null or (c.kind = 'channel' and not c.private))

-- name: read_defaults
-- The level of a conversation of this kind for each of these users while they have not chosen one.
select u.id, level_of('all', false, %(kind)s, u.notify, (select t.notify from team t))
  from users u where u.id = any(%(users)s)

-- name: read_sidebar
select version, document from sidebars where user_id = %s

-- name: find_placed
-- Those of the conversations that the user is a member of now.
select m.conversation_id from memberships m
 where m.user_id = %(user)s and m.until is null and m.conversation_id = any(%(conversations)s::bigint[])

-- name: write_sidebar
-- No row if the stored version is another one.
insert into sidebars (user_id, version, document)
select %(user)s, 1, %(document)s::jsonb
 where %(version)s = 0 or exists (select from sidebars s where s.user_id = %(user)s)
on conflict (user_id) do update set version = sidebars.version + 1, document = excluded.document
 where sidebars.version = %(version)s
returning version
