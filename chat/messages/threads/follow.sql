-- name: follow_thread
-- No row: it is followed already.
insert into thread_follows (conversation_id, root_seq, user_id, read_seq) values (%s, %s, %s, %s)
    on conflict do nothing
returning read_seq

-- name: unfollow_thread
delete from thread_follows where conversation_id = %s and root_seq = %s and user_id = %s returning read_seq

-- name: move_mark
-- Only ever forward, and never beyond the last message.
update thread_follows set read_seq = least(%(seq)s, %(last_seq)s)
 where conversation_id = %(conversation)s and root_seq = %(root)s and user_id = %(user)s
   and read_seq < least(%(seq)s, %(last_seq)s)
returning read_seq

-- name: count_unread
-- What others have replied after a seq, up to a thousand.
select count(*)
  from (select from messages t
         where t.conversation_id = %s and t.thread = %s and t.author_id <> %s and t.seq > %s limit 1000) few
