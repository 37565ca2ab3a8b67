-- name: find_reply_targets
-- The messages that posts quote or reply to. The last column: a first reply makes the author follow the thread, because
-- they are a member and do not follow it yet.
select m.conversation_id, m.seq, m.author_id, m.thread,
       m.replies = 0
       and exists (select from memberships s
                    where s.conversation_id = m.conversation_id and s.user_id = m.author_id and s.until is null)
       and not exists (select from thread_follows f
                        where f.conversation_id = m.conversation_id and f.root_seq = m.seq and f.user_id = m.author_id)
  from unnest(%s::bigint[], %s::bigint[]) as wanted (conversation_id, seq)
  join messages m on m.conversation_id = wanted.conversation_id and m.seq = wanted.seq

-- name: find_originals
-- The messages that posts forward, as far as their authors may read them.
select wanted.n, m.body, m.files, m.type, m.data
  from unnest(%s::bigint[], %s::bigint[], %s::bigint[]) with ordinality as wanted (conversation_id, seq, user_id, n)
  join conversations c on c.id = wanted.conversation_id
  join displayed_messages m on m.conversation_id = wanted.conversation_id and m.seq = wanted.seq
 where not m.deleted and not m.streaming
   and (c.kind = 'channel' and not c.private
        or exists (select from memberships s
                    where s.conversation_id = c.id and s.user_id = wanted.user_id and s.until is null))

-- name: insert_forwards
insert into forwards (conversation_id, seq, from_conversation_id, from_seq)
select * from unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[])

-- name: count_replies
update messages m
   set replies = m.replies + new.number, last_reply = new.last, last_reply_at = greatest(m.last_reply_at, new.last_at)
  from (select conversation_id, thread, count(*) as number, max(seq) as last, max(created_at) as last_at
          from unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %b::timestamptz[])
               as reply (conversation_id, thread, author_id, seq, created_at)
         group by conversation_id, thread) new
 where m.conversation_id = new.conversation_id and m.seq = new.thread

-- name: follow_threads
insert into thread_follows (conversation_id, root_seq, user_id, read_seq)
select * from unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[])
    on conflict (conversation_id, root_seq, user_id) do update set read_seq = excluded.read_seq

-- name: follow_thread
-- No row: the user follows it already.
insert into thread_follows (conversation_id, root_seq, user_id, read_seq) values (%s, %s, %s, %s)
    on conflict do nothing
returning read_seq

-- name: unfollow_thread
delete from thread_follows where conversation_id = %s and root_seq = %s and user_id = %s returning read_seq

-- name: move_mark
-- Forward only, and not beyond the last message.
update thread_follows set read_seq = least(%(seq)s, %(last_seq)s)
 where conversation_id = %(conversation)s and root_seq = %(root)s and user_id = %(user)s
   and read_seq < least(%(seq)s, %(last_seq)s)
returning read_seq

-- name: count_unread
-- The replies of others after a seq, up to a thousand. Deleted ones count as read.
select count(*)
  from (select from messages t
         where t.conversation_id = %s and t.thread = %s and t.author_id <> %s and t.seq > %s and t.deleted_at is null
         limit 1000) few

-- name: list_threads
-- In one snapshot: the head of the log, and the threads that a user follows, the latest reply first. Deleted replies count
-- as read.
with mine as (
    select f.conversation_id, f.root_seq, f.read_seq, coalesce(m.last_reply_at, m.created_at) as moved_at
      from thread_follows f
      join memberships s on s.conversation_id = f.conversation_id and s.user_id = f.user_id and s.until is null
      join conversations c on c.id = f.conversation_id and c.archived_at is null
      join messages m on m.conversation_id = f.conversation_id and m.seq = f.root_seq
     where f.user_id = %(user)s
     order by moved_at desc, f.conversation_id, f.root_seq limit %(most)s)
select head.epoch, head.position, mine.read_seq, unread.number, root.*
  from log_head head
  left join mine on true
  left join lateral (
       select count(*) as number
         from (select from messages t
                where t.conversation_id = mine.conversation_id and t.thread = mine.root_seq
                  and t.author_id <> %(user)s and t.seq > mine.read_seq and t.deleted_at is null
                limit 1000) few) unread on true
  left join displayed_messages root on root.conversation_id = mine.conversation_id and root.seq = mine.root_seq
 order by mine.moved_at desc, mine.conversation_id, mine.root_seq

-- name: read_replies
-- A page as in the history, within one thread; and the first and last seq of the thread. No row for users who may not
-- read the conversation, or if there is no such message.
with seen as (
    select root.last_reply,
           (select min(t.seq) from messages t where t.conversation_id = %(conversation)s and t.thread = %(root)s) as first
      from conversations c
      join messages root on root.conversation_id = c.id and root.seq = %(root)s
     where c.id = %(conversation)s
       and (c.kind = 'channel' and not c.private
            or exists (select from memberships m
                        where m.conversation_id = c.id and m.user_id = %(user)s and m.until is null)))
select seen.first, seen.last_reply, page.*
  from seen left join lateral (
       (select * from displayed_messages m
         where m.conversation_id = %(conversation)s and m.thread = %(root)s and m.seq < %(below)s
         order by m.seq desc limit %(down)s)
        union all
       (select * from displayed_messages m
         where m.conversation_id = %(conversation)s and m.thread = %(root)s and m.seq > %(above)s
         order by m.seq limit %(up)s)) page on true
 order by page.seq
