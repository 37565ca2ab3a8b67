-- name: find_referred
-- What posts point at, and whether its author waits for the first reply: a member who does not follow it yet.
select m.conversation_id, m.seq, m.author_id, m.thread,
       m.replies = 0
       and exists (select from memberships s
                    where s.conversation_id = m.conversation_id and s.user_id = m.author_id and s.until is null)
       and not exists (select from thread_follows f
                        where f.conversation_id = m.conversation_id and f.root_seq = m.seq and f.user_id = m.author_id)
  from unnest(%s::bigint[], %s::bigint[]) as asked (conversation_id, seq)
  join messages m on m.conversation_id = asked.conversation_id and m.seq = asked.seq

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
