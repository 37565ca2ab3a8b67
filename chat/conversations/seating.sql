-- name: insert_conversation
-- No row: the pair has a direct conversation already, or the channel's name is taken.
insert into conversations (kind, name, topic, private, pair, created_by)
values (%(kind)s, %(name)s, %(topic)s, %(private)s, %(pair)s, %(creator)s)
    on conflict do nothing
returning id, kind, name, topic, private, false, last_seq

-- name: find_pair
select id from conversations where pair = %s

-- name: find_people
-- Who of them can be addressed, how many conversations each has chosen, and into how many others have put them. Locked
-- here, as their memberships' foreign keys would lock them later: no lock may come after the log's head.
select u.id, held.chosen, held.given
  from users u
 cross join lateral (
       select count(*) filter (where m.chosen), count(*) filter (where not m.chosen and c.kind <> 'direct')
         from memberships m join conversations c on c.id = m.conversation_id
        where m.user_id = u.id and m.until is null and c.archived_at is null) as held (chosen, given)
 where u.id = any(%s) and u.disabled_at is null and not is_probe(u.id)
   for key share of u

-- name: find_strangers
-- Who of them shares no conversation with the actor. A direct conversation counts once they have written in it.
select asked.id
  from unnest(%(people)s::bigint[]) as asked (id)
 where asked.id <> %(actor)s
   and not exists (select from users u where u.id = %(actor)s and u.role = 'admin')
   and not exists (
       select from memberships theirs
         join memberships mine on mine.conversation_id = theirs.conversation_id
         join conversations c on c.id = theirs.conversation_id
        where theirs.user_id = asked.id and theirs.until is null
          and mine.user_id = %(actor)s and mine.until is null
          and (c.kind <> 'direct' or theirs.posted_at is not null))

-- name: close_invitations
delete from invitations where conversation_id = %s and user_id = any(%s)

-- name: insert_memberships
-- Going and coming back makes nobody's slow mode shorter.
insert into memberships (conversation_id, joined_seq, read_seq, user_id, role, since, chosen, posted_at)
select %(conversation)s, %(seq)s, %(seq)s, person.id, person.role, person.since, person.id = any(%(chosen)s),
       (select max(m.posted_at) from memberships m
         where m.conversation_id = %(conversation)s and m.user_id = person.id)
  from unnest(%(people)s::bigint[], %(roles)s::text[], %(since)s::bigint[]) as person (id, role, since)

-- name: is_banned
select from bans where conversation_id = %s and user_id = %s

-- name: end_membership
update memberships set until = %s where conversation_id = %s and user_id = %s and until is null

-- name: end_follows
delete from thread_follows where conversation_id = %s and user_id = %s

-- name: change_role
update memberships set role = %s where conversation_id = %s and user_id = %s and until is null

-- name: list_views
-- One snapshot: where the log stands, whom a person has blocked, and his conversations as they are there.
-- Last messages are whole up to a number of bytes in all, the latest first; the others' texts are cut,
-- and tell of no files.
-- What is deleted counts as read. No own message is beyond the read mark: posting moves it.
select head.epoch, head.position,
       (select coalesce(array_agg(b.blocked_id order by b.blocked_id), '{}') from blocks b where b.user_id = %(user)s),
       (select coalesce(jsonb_agg(told.* order by told.at, told.conversation), '[]') from told_invitations told
         where told.user_id = %(user)s),
       c.id, c.kind, c.name, c.topic, c.private, c.archived_at is not null, c.last_seq,
       c.slow_seconds, c.read_only, m.role, m.read_seq, unread.number, mentions.number, m.level, m.muted_until, people.ids,
       last.conversation_id, last.seq, last.author_id,
       case when sum(octet_length(last.body)) over latest > %(bytes)s then left(last.body, %(excerpt)s) else last.body end,
       last.client_id, last.created_at, last.edited_at, last.deleted, last.reply_to, last.thread, last.replies,
       last.last_reply, last.last_reply_at, last.pinned, last.reactions, last.mentions, last.mentions_all,
       case when sum(octet_length(last.body)) over latest <= %(bytes)s then last.files end
  from log_head head
  left join (memberships m join conversations c on c.id = m.conversation_id and c.archived_at is null)
    on m.user_id = %(user)s and m.until is null
  left join lateral (
       select c.last_seq - m.read_seq - count(*) from messages d
        where d.conversation_id = c.id and d.seq > m.read_seq and d.deleted_at is not null) as unread (number) on true
  left join lateral (
       select count(*) from mentions x
        where x.conversation_id = c.id and x.user_id in (m.user_id, 0) and x.seq > m.read_seq
          and not exists (select from blocks b where b.user_id = m.user_id and b.blocked_id = x.author_id)) as mentions (number) on true
  left join lateral (
       select array_agg(o.user_id order by o.user_id) from memberships o
        where c.kind <> 'channel' and o.conversation_id = c.id and o.until is null) as people (ids) on true
  left join lateral (
       select * from told_messages t where t.conversation_id = c.id and t.seq = c.last_seq limit 1) last on true
window latest as (order by coalesce(last.created_at, c.created_at) desc, c.id)
 order by coalesce(last.created_at, c.created_at) desc, c.id

-- name: find_view
-- A conversation as one person sees it; a visitor of a public channel has nothing unread.
select c.id, c.kind, c.name, c.topic, c.private, c.archived_at is not null, c.last_seq,
       c.slow_seconds, c.read_only, m.role, coalesce(m.read_seq, c.last_seq), unread.number, mentions.number,
       coalesce(m.level, 'all'), m.muted_until, people.ids, last.*
  from conversations c
  left join memberships m on m.conversation_id = c.id and m.user_id = %(user)s and m.until is null
  left join lateral (
       select c.last_seq - m.read_seq - count(*) from messages d
        where d.conversation_id = c.id and d.seq > m.read_seq and d.deleted_at is not null) as unread (number) on true
  left join lateral (
       select count(*) from mentions x
        where x.conversation_id = c.id and x.user_id in (m.user_id, 0) and x.seq > m.read_seq
          and not exists (select from blocks b where b.user_id = m.user_id and b.blocked_id = x.author_id)) as mentions (number) on true
  left join lateral (
       select array_agg(o.user_id order by o.user_id) from memberships o
        where c.kind <> 'channel' and o.conversation_id = c.id and o.until is null) as people (ids) on true
  left join lateral (
       select * from told_messages t where t.conversation_id = c.id and t.seq = c.last_seq limit 1) last on true
 where c.id = %(conversation)s and (m.user_id is not null or (c.kind = 'channel' and not c.private))

-- name: lock_conversation
select id, kind, name, topic, private, archived_at is not null, last_seq, slow_seconds, read_only, blocked
  from conversations where id = %s for no key update

-- name: find_seats
-- Of these people: who exists, and as what each is in the conversation.
select u.id, m.role
  from users u left join memberships m on m.user_id = u.id and m.conversation_id = %s and m.until is null
 where u.id = any(%s) and (u.disabled_at is null or m.role is not null)

-- name: count_members
-- Two owners are as good as more; a group's members are few.
select count(*), count(*) filter (where role = 'owner') from memberships where conversation_id = %s and until is null

-- name: change_conversation
update conversations
   set name = %(name)s, topic = %(topic)s, private = %(private)s, slow_seconds = %(slow)s, read_only = %(read_only)s,
       archived_at = case when %(archived)s then coalesce(archived_at, now()) end
 where id = %(id)s

-- name: list_channels
-- By name, after a name. Members are counted up to a thousand: a page's cost must not follow its channels' size.
select c.id, c.name, c.topic, m.role, people.number
  from conversations c
  left join memberships m on m.conversation_id = c.id and m.user_id = %(user)s and m.until is null
 cross join lateral (
       select count(*) from (select from memberships o where o.conversation_id = c.id and o.until is null limit 1000) few
       ) as people (number)
 where c.kind = 'channel' and not c.private and c.archived_at is null and lower(c.name) > lower(%(after)s)
   and (position(lower(%(q)s) in lower(c.name)) > 0 or position(lower(%(q)s) in lower(c.topic)) > 0)
 order by lower(c.name) limit %(most)s

-- name: list_archived
-- What a person is in and nobody writes to any more, the latest begun first, below an id.
select c.id, c.kind, c.name, c.topic, c.private, m.role, people.ids
  from memberships m join conversations c on c.id = m.conversation_id
  left join lateral (
       select array_agg(o.user_id order by o.user_id) from memberships o
        where c.kind <> 'channel' and o.conversation_id = c.id and o.until is null) as people (ids) on true
 where m.user_id = %(user)s and m.until is null and c.archived_at is not null and c.id < %(before)s
 order by c.id desc limit %(most)s

-- name: list_members
select m.user_id, m.role, m.joined_at from memberships m
 where m.conversation_id = %s and m.until is null and m.user_id > %s order by m.user_id limit %s

-- name: lock_conversations
-- In id order, as posts do.
select id, kind = 'channel' and not private from conversations where id = any(%s) order by id for no key update

-- name: find_members
-- Who of them is a member now.
select asked.n
  from unnest(%s::bigint[], %s::bigint[]) with ordinality as asked (conversation_id, user_id, n)
 where exists (select from memberships m
                where m.conversation_id = asked.conversation_id and m.user_id = asked.user_id and m.until is null)

-- name: move_read_marks
-- Only ever forward, and never beyond the last message. What others see of it moves along where the person shows it, in
-- a conversation of few, is not invisible, and at odds with nobody there. In this order: the last asks about each member.
with asked as (
    select asked.conversation_id, asked.user_id, least(asked.seq, c.last_seq) as seq, c.last_seq,
           u.receipts
           and %(most)s >= (
               select count(*) from (select from memberships o where o.conversation_id = c.id and o.until is null
                                      limit %(most)s + 1) few)
           and not exists (
               select from presence_choices p
                where p.user_id = u.id and p.mode = 'invisible'
                  and (p.until_ms = 0 or p.until_ms > extract(epoch from now()) * 1000))
           and not exists (
               select from memberships o
                where o.conversation_id = c.id and o.until is null
                  and (exists (select from blocks b where b.user_id = u.id and b.blocked_id = o.user_id)
                       or exists (select from blocks b where b.user_id = o.user_id and b.blocked_id = u.id))) as shown
      from unnest(%(conversations)s::bigint[], %(users)s::bigint[], %(seqs)s::bigint[])
           as asked (conversation_id, user_id, seq)
      join conversations c on c.id = asked.conversation_id
      join users u on u.id = asked.user_id)
update memberships m set read_seq = asked.seq, receipt_seq = case when asked.shown then asked.seq else m.receipt_seq end
  from asked
 where m.conversation_id = asked.conversation_id and m.user_id = asked.user_id and m.until is null
   and m.read_seq < asked.seq
returning m.conversation_id, m.user_id, m.read_seq,
       asked.last_seq - m.read_seq - (select count(*) from messages d
                                       where d.conversation_id = m.conversation_id and d.seq > m.read_seq
                                         and d.deleted_at is not null),
       (select count(*) from mentions x
         where x.conversation_id = m.conversation_id and x.user_id in (m.user_id, 0) and x.seq > m.read_seq
           and not exists (select from blocks b where b.user_id = m.user_id and b.blocked_id = x.author_id)),
       asked.shown

-- name: lock_look
-- Two channels that are named at once must see each other.
select pg_advisory_xact_lock(hashtextextended(look_of(%s), 7263369))

-- name: find_lookalike
-- Another public channel whose name looks the same.
select name from conversations
 where look_of(name) = look_of(%(name)s) and id <> %(id)s and kind = 'channel' and not private and archived_at is null
 limit 1
